import { activeTab, select } from "../../store/editor";
import type { MenuPlace } from "../../shell/commands";
import { chosenOf } from "../ids";
import { useCanvas } from "../state";

interface Opening {
  readonly clientX: number;
  readonly clientY: number;
  preventDefault: () => void;
}

/** Open the context menu on something, which is selected by that. */
export function openMenu(event: Opening | MouseEvent, place: MenuPlace, id?: string): void {
  event.preventDefault();
  if (id !== undefined && !activeTab().selected.has(id)) select([id]);
  useCanvas.setState({ menu: { place, screen: { x: event.clientX, y: event.clientY } } });
}

/** Open the menu of what is selected, for the keyboard. */
export function openMenuOfSelection(screen: { readonly x: number; readonly y: number }): void {
  const { nodes, groups, notes, wires } = chosenOf(activeTab().selected);
  const place =
    nodes.size > 0 ? "node" : groups.size > 0 ? "group" : notes.size > 0 ? "note" : wires.size > 0 ? "wire" : "canvas";
  useCanvas.setState({ menu: { place, screen } });
}
