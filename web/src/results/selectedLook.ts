// Looking into what is selected: a node, or a wire.
import { chosenOf } from "../canvas/ids";
import { useCanvas } from "../canvas/state";
import { activeTab } from "../store/editor";
import { type Look, lookInto } from "../store/looks";

function chosenLook(): Look | null {
  const { nodes, wires } = chosenOf(activeTab().selected);
  const [node] = nodes;
  if (node !== undefined) return { id: node, output: "" };
  const [wire] = wires;
  const edge = wire === undefined ? undefined : useCanvas.getState().flow?.getEdge(wire);
  return edge ? { id: edge.source, output: edge.sourceHandle ?? "" } : null;
}

export function hasLook(): boolean {
  return chosenLook() !== null;
}

export function lookIntoSelected(): void {
  const found = chosenLook();
  if (found) lookInto(found.id, found.output);
}
