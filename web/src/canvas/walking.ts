// Walking over the canvas by keyboard: from node to node, from socket to socket, and drawing wires.
import type { KeyboardEvent } from "react";
import { disconnect } from "../graph/edits";
import { type Direction, nextIn } from "../graph/neighbours";
import { activeTab, edit, select } from "../store/editor";
import { ownerOf } from "./connecting";
import { chosenOf } from "./ids";
import { rectOf, shownNodes } from "./placing";
import { pointerOnCanvas, useCanvas } from "./state";

/** Select the node that lies next in a direction, and show it. */
export function walk(direction: Direction): void {
  const { flow } = useCanvas.getState();
  const nodes = shownNodes().filter((each) => each.type !== "frame");
  const from = nodes.find((each) => activeTab().selected.has(each.id));
  const start = from ? rectOf(from) : { ...pointerOnCanvas(), width: 0, height: 0 };
  const rects = new Map(nodes.filter((each) => each !== from).map((each) => [each.id, rectOf(each)]));
  const found = nextIn(direction, start, rects);
  const rect = found === undefined ? undefined : rects.get(found);
  if (!flow || found === undefined || !rect) return;
  select([found]);
  const area = document.querySelector(".canvas")?.getBoundingClientRect();
  const corner = flow.flowToScreenPosition({ x: rect.x, y: rect.y });
  const end = flow.flowToScreenPosition({ x: rect.x + rect.width, y: rect.y + rect.height });
  const isSeen = area && corner.x > area.left && corner.y > area.top && end.x < area.right && end.y < area.bottom;
  if (!isSeen) void flow.setCenter(rect.x + rect.width / 2, rect.y + rect.height / 2, { zoom: flow.getZoom() });
  requestAnimationFrame(() => elementOf(found)?.focus({ preventScroll: true }));
}

function elementOf(id: string): HTMLElement | null {
  return document.querySelector(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
}

/** Put the focus on the first socket of the selected node. */
export function goToSockets(): void {
  const [name] = chosenOf(activeTab().selected).nodes;
  if (name !== undefined) elementOf(name)?.querySelector<HTMLElement>(".socket")?.focus();
}

const REGIONS = [".top-bar", ".panel-bar-left", ".panel-left", ".canvas", ".panel-right", ".panel-bar-right"];

/** Put the focus on the next part of the page. */
export function goToNextRegion(): void {
  const regions = REGIONS.map((each) => document.querySelector<HTMLElement>(each)).filter((each) => each !== null);
  const at = regions.findIndex((each) => each.contains(document.activeElement));
  const next = regions[(at + 1) % regions.length];
  if (next?.matches(".canvas")) next.focus({ preventScroll: true });
  else next?.querySelector<HTMLElement>("button:not(:disabled), input, a[href], [tabindex='0']")?.focus();
}

/** Keys on a socket: arrows go to others, Enter draws a wire, Delete takes one away, Escape goes back to the node. */
export function onSocketKey(event: KeyboardEvent<HTMLElement>): void {
  const socket = event.target as HTMLElement;
  const node = socket.matches(".socket") ? socket.closest<HTMLElement>(".react-flow__node") : null;
  if (!node) return;
  const side = socket.matches(".target") ? "target" : "source";
  const same = [...node.querySelectorAll<HTMLElement>(`.socket.${side}`)];
  const at = same.indexOf(socket);
  if (event.key === "ArrowDown") same[at + 1]?.focus();
  else if (event.key === "ArrowUp") same[at - 1]?.focus();
  else if (event.key === "ArrowLeft") node.querySelector<HTMLElement>(".socket.target")?.focus();
  else if (event.key === "ArrowRight") node.querySelector<HTMLElement>(".socket.source")?.focus();
  else if (event.key === "Escape") node.focus({ preventScroll: true });
  else if (event.key === "Enter" || event.key === " ") beginByKey(socket);
  else if (event.key === "Delete" || event.key === "Backspace") cut(socket);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Ask in the palette where the wire of a socket should go. */
function beginByKey(socket: HTMLElement): void {
  const { nodeid = "", handleid = "" } = socket.dataset;
  const { left, top } = socket.getBoundingClientRect();
  const side = socket.matches(".target") ? "input" : "output";
  const screen = { x: left + 20, y: top };
  const ahead = { x: side === "output" ? left + 90 : left - 90, y: top };
  const at = useCanvas.getState().flow?.screenToFlowPosition(ahead) ?? ahead;
  useCanvas.setState({ palette: { screen, at, start: { node: nodeid, port: handleid, side }, sockets: true } });
}

function cut(socket: HTMLElement): void {
  const { nodeid = "", handleid = "" } = socket.dataset;
  if (!socket.matches(".target")) return;
  const { graph, name } = ownerOf(nodeid);
  edit("disconnect", (each) => disconnect(each, { node: name, port: handleid }), { graph });
}
