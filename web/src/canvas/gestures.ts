// What the pointer does on the canvas.
import type { EdgeChange, NodeChange } from "@xyflow/react";
import type { DragEvent, MouseEvent, MouseEvent as ReactMouseEvent } from "react";
import { create } from "zustand";
import type { Layout, Point } from "../graph/document";
import { insertPoint, pointsKey, setPoints } from "../graph/points";
import { activeTab, asOneStep, changeTab, edit, select } from "../store/editor";
import { dropIntoRegion, keepStill, spliceDropped } from "../subgraphs/dropNodes";
import { copied, pasteFragment } from "./clipboard";
import { screenOf } from "./connecting";
import type { AnyNode, CanvasEdge } from "./model";
import { addEntry } from "./palette/add";
import { nodeEntries } from "./palette/entries";
import { insideGroups, place } from "./placing";
import { useCanvas } from "./state";
import { useDefinitions } from "../store/definitions";

/** Things in dragged groups, which move with them: where they and a group were when the drag began. */
interface GroupDrag {
  readonly lead: string;
  readonly from: Point;
  readonly inside: ReadonlyMap<string, Point>;
}

const useGroupDrag = create<{ readonly drag: GroupDrag | null }>(() => ({ drag: null }));

type Moved = readonly AnyNode[];
type Pointer = globalThis.MouseEvent | TouchEvent | ReactMouseEvent;

export function dragStarted(_event: Pointer, node: AnyNode | undefined, moved: Moved): void {
  const ids = new Set(moved.map((each) => each.id));
  if (node) ids.add(node.id);
  const lead = moved.find((each) => each.type === "frame");
  const inside = insideGroups(ids);
  if (!lead || inside.size === 0) return;
  const { flow } = useCanvas.getState();
  const places = [...inside].map((id) => [id, flow?.getNode(id)?.position ?? { x: 0, y: 0 }] as const);
  useGroupDrag.setState({ drag: { lead: lead.id, from: lead.position, inside: new Map(places) } });
}

/** What React Flow changes, with what moves along. The selection is the tab's. */
export function changedNodes(changes: NodeChange<AnyNode>[]): NodeChange<AnyNode>[] {
  const chosen = changes.filter((each) => each.type === "select");
  if (chosen.length > 0) changeSelection(chosen);
  const { drag } = useGroupDrag.getState();
  const lead = drag && changes.find((each) => each.type === "position" && each.id === drag.lead);
  const rest = chosen.length > 0 ? changes.filter((each) => each.type !== "select") : changes;
  if (!drag || lead?.type !== "position" || !lead.position) return rest;
  const by = { x: lead.position.x - drag.from.x, y: lead.position.y - drag.from.y };
  const along = [...drag.inside].map(([id, { x, y }]): NodeChange<AnyNode> => ({
    type: "position",
    id,
    position: { x: x + by.x, y: y + by.y },
    dragging: true,
  }));
  return [...rest, ...along];
}

/** A rectangle selects nodes alone; their wires go with them anyway. */
export function changeEdges(changes: EdgeChange<CanvasEdge>[]): void {
  if (useCanvas.getState().boxing) return;
  const chosen = changes.filter((each) => each.type === "select");
  if (chosen.length > 0) changeSelection(chosen);
}

function changeSelection(changes: readonly { readonly id: string; readonly selected: boolean }[]): void {
  const ids = new Set(activeTab().selected);
  for (const { id, selected } of changes) {
    if (selected) ids.add(id);
    else ids.delete(id);
  }
  select(ids);
}

export function dragStopped(event: Pointer, node: AnyNode | undefined, moved: Moved): void {
  const { drag } = useGroupDrag.getState();
  useGroupDrag.setState({ drag: null });
  const { flow } = useCanvas.getState();
  const all = [...moved, ...(node && !moved.some((each) => each.id === node.id) ? [node] : [])];
  const lead = drag && all.find((each) => each.id === drag.lead);
  const along =
    drag && lead ? [...drag.inside].map(([id, at]) => ({ id, at: beside(at, lead.position, drag.from) })) : [];
  const places = [...all.map(({ id, position }) => ({ id, at: position })), ...along];
  if (event.altKey && flow) duplicateTo(all[0]);
  else if (!drag && flow && dropIntoRegion(all, pointed(event))) return;
  else
    asOneStep(() => {
      keepStill(all, () => place("move", places));
      if (all.length === 1 && all[0]) spliceDropped(all[0].id);
    });
}

/** Where on the canvas the pointer is. */
function pointed(event: Pointer): Point {
  const screen = screenOf("nativeEvent" in event ? event.nativeEvent : event);
  return useCanvas.getState().flow?.screenToFlowPosition(screen, { snapToGrid: false }) ?? screen;
}

const beside = (at: Point, to: Point, from: Point): Point => ({ x: at.x + to.x - from.x, y: at.y + to.y - from.y });

/** The dragged things go back, and copies stand where they were let go. */
function duplicateTo(first: AnyNode | undefined): void {
  const fragment = copied();
  const { layout } = fragment ?? {};
  const was = first && (first.type === "node" ? layout?.nodes?.[first.data.name] : boxIn(layout, first));
  if (fragment && first && was) {
    const places = [...Object.values(layout?.nodes ?? {}), ...(layout?.groups ?? []), ...(layout?.notes ?? [])];
    const corner = { x: Math.min(...places.map((each) => each.x)), y: Math.min(...places.map((each) => each.y)) };
    pasteFragment(fragment, { at: beside(corner, first.position, was), outside: true }, "duplicate");
  }
  changeTab(activeTab().id, (tab) => ({ ...tab, revision: tab.revision + 1 }));
}

function boxIn(layout: Layout | undefined, node: AnyNode): Point | undefined {
  const id = node.id.slice(node.id.indexOf(":") + 1);
  return [...(layout?.groups ?? []), ...(layout?.notes ?? [])].find((each) => each.id === id);
}

/** A double click on the empty canvas opens the palette there. */
export function openPalette(event: MouseEvent<HTMLElement>): void {
  const { flow } = useCanvas.getState();
  if (!flow || !(event.target as HTMLElement).classList.contains("react-flow__pane")) return;
  const screen = { x: event.clientX, y: event.clientY };
  useCanvas.setState({ palette: { screen, at: flow.screenToFlowPosition(screen) } });
}

/** A double click on a wire puts a reroute point there. */
export function reroute(event: MouseEvent, edge: CanvasEdge): void {
  const { flow } = useCanvas.getState();
  const { data } = edge;
  if (!flow || !data) return;
  const at = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
  const ends = [flow.getInternalNode(edge.source), flow.getInternalNode(edge.target)].map((each) => ({
    x: each?.internals.positionAbsolute.x ?? 0,
    y: each?.internals.positionAbsolute.y ?? 0,
  })) as [Point, Point];
  const width = flow.getInternalNode(edge.source)?.measured.width ?? 0;
  const [from, to] = ends;
  const points = insertPoint(data.points, [{ x: from.x + width, y: from.y }, to], at);
  edit("reroute", (graph) => setPoints(graph, pointsKey(data.link.to, data.link.index), points), { graph: data.graph });
}

/** A node was dragged here from the library. */
export function dropped(event: DragEvent<HTMLElement>): void {
  const id = event.dataTransfer.getData("application/x-nodegraph");
  const { flow } = useCanvas.getState();
  const entry = id && nodeEntries(useDefinitions.getState().byId).find((each) => each.id === id);
  if (!flow || !entry) return;
  event.preventDefault();
  addEntry(entry, flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }));
}
