// Drawing, moving and refusing wires, by pointer or by keyboard.
import type { Connection, FinalConnectionState, HandleType } from "@xyflow/react";
import type { Graph, GraphName, Point } from "../graph/document";
import { connect, disconnect } from "../graph/edits";
import { type Start, fittingPlaces, fittingPort, typeAt } from "../graph/fitting";
import { portsOf } from "../graph/ports";
import { type End, type Fit, type Link, fit } from "../graph/wiring";
import { useDefinitions } from "../store/definitions";
import { activeTab, edit, editDocument, shownGraph } from "../store/editor";
import { locate } from "../subgraphs/paths";
import { drawSpecial, isSpecial, judgeSpecial } from "../subgraphs/wires";
import type { CanvasEdge } from "./model";
import { endDrag, refuse, useCanvas, useDrag } from "./state";

/** A wire as it would be drawn, in the graph that both its ends are in. */
interface Drawn {
  readonly graph: GraphName;
  readonly from: End;
  readonly to: End;
}

/** Where a node of the canvas is in the document. */
export function ownerOf(id: string): { readonly graph: GraphName; readonly name: string } {
  const data = useCanvas.getState().flow?.getNode(id)?.data;
  if (data && "name" in data) return { graph: data.graph, name: data.name as string };
  const tab = activeTab();
  const found = locate(tab.document, shownGraph(tab), id);
  return found ? { graph: found.graph, name: found.node } : { graph: shownGraph(tab), name: id };
}

function drawn(connection: Pick<Connection, "source" | "sourceHandle" | "target" | "targetHandle">): Drawn | string {
  const from = ownerOf(connection.source);
  const to = ownerOf(connection.target);
  if (from.graph !== to.graph) return "a wire cannot cross the border of a region";
  return {
    graph: from.graph,
    from: { node: from.name, port: connection.sourceHandle ?? "" },
    to: { node: to.name, port: connection.targetHandle ?? "" },
  };
}

/** The ends of a wire over a border or to a declared port; undefined for all others. */
function special(connection: Connection | CanvasEdge) {
  const from = { id: connection.source, socket: connection.sourceHandle ?? "" };
  const to = { id: connection.target, socket: connection.targetHandle ?? "" };
  return isSpecial({ from, to }) ? { from, to } : undefined;
}

/** How a wire would be written, or why it may not be drawn. */
export function judge(connection: Connection | CanvasEdge): Fit {
  const wire = drawn({
    source: connection.source,
    target: connection.target,
    sourceHandle: connection.sourceHandle ?? null,
    targetHandle: connection.targetHandle ?? null,
  });
  const ends = special(connection);
  if (ends) return judgeSpecial(activeTab().document, shownGraph(activeTab()), ends, useDefinitions.getState().byId);
  if (typeof wire === "string") return { reason: wire };
  return fit(activeTab().document, wire.graph, wire.from, wire.to, useDefinitions.getState().byId);
}

export function drawWire(connection: Connection): void {
  const wire = drawn(connection);
  const found = judge(connection);
  const ends = special(connection);
  if ("reason" in found) return;
  if (ends) {
    const [shown, definitions] = [shownGraph(activeTab()), useDefinitions.getState().byId];
    editDocument("connect", (document) => drawSpecial(document, shown, ends, definitions));
    return;
  }
  if (typeof wire === "string") return;
  edit("connect", (graph) => connect(graph, wire.from, wire.to, found.how), { graph: wire.graph });
}

/** Begin to draw: from now on the sockets that fit are lit. */
export function beginDrag(id: string, port: string, side: Start["side"]): void {
  const owner = ownerOf(id);
  const start: Start = { node: owner.name, port, side };
  const places = fittingPlaces(activeTab().document, owner.graph, start, useDefinitions.getState().byId);
  const prefix = id.slice(0, id.length - owner.name.length);
  const fits = prefix ? new Set([...places].map((each) => prefix + each)) : places;
  useDrag.setState({ start: { ...start, node: id }, fits });
}

/** A wire was let go. On a node it goes to the first socket that fits; on the canvas a node is chosen for it. */
export function endOfWire(event: MouseEvent | TouchEvent, state: FinalConnectionState): void {
  const { start, fits, isMoved } = useDrag.getState();
  endDrag();
  if (!start || state.isValid) return;
  const screen = screenOf(event);
  if (state.toHandle && state.fromHandle) {
    const [from, to] =
      state.fromHandle.type === "source" ? [state.fromHandle, state.toHandle] : [state.toHandle, state.fromHandle];
    const found = from.type === to.type ? { reason: sameSide(from.type) } : judge(between(from, to));
    if ("reason" in found) refuse(found.reason, screen);
    return;
  }
  if (isMoved) return;
  const node = document.elementFromPoint(screen.x, screen.y)?.closest<HTMLElement>(".react-flow__node-node");
  if (node) dropOnNode(start, node.dataset["id"] ?? "", fits, screen);
  else openPaletteFor(start, screen);
}

type HandleEnd = { readonly nodeId: string; readonly id?: string | null; readonly type: HandleType };

function between(from: HandleEnd, to: HandleEnd): Connection {
  return { source: from.nodeId, sourceHandle: from.id ?? null, target: to.nodeId, targetHandle: to.id ?? null };
}

export function sameSide(type: HandleType): string {
  return type === "source"
    ? "both ends are outputs; a wire ends at an input"
    : "both ends are inputs; a wire begins at an output";
}

function dropOnNode(start: Start, id: string, fits: ReadonlySet<string>, screen: Point): void {
  if (id === start.node) return;
  const { graph, name } = ownerOf(id);
  const entry = (graph === "" ? activeTab().document : activeTab().document.graphs?.[graph])?.nodes?.[name];
  const ports = entry && portsOf(activeTab().document, entry, useDefinitions.getState().byId);
  const names = (start.side === "output" ? ports?.inputs : ports?.outputs) ?? [];
  const fitting = names.filter((each) => fits.has(`${id}.${each.name}`));
  const port = (fitting.find((each) => !(each.name in (entry?.inputs ?? {}))) ?? fitting[0])?.name;
  if (port === undefined)
    refuse(`no ${start.side === "output" ? "input" : "output"} of ${name} fits this wire`, screen);
  else drawWire(joined(start, { node: id, port }));
}

/** A wire between the end that stays and one at the other side. */
export function joined(start: Start, other: End): Connection {
  const [from, to] = start.side === "output" ? [start, other] : [other, start];
  return { source: from.node, sourceHandle: from.port, target: to.node, targetHandle: to.port };
}

function openPaletteFor(start: Start, screen: Point): void {
  const at = useCanvas.getState().flow?.screenToFlowPosition(screen) ?? screen;
  useCanvas.setState({ palette: { screen, at, start } });
}

export function screenOf(event: MouseEvent | TouchEvent): Point {
  const touch = "changedTouches" in event ? event.changedTouches[0] : event;
  return { x: touch?.clientX ?? 0, y: touch?.clientY ?? 0 };
}

/** An end of a wire was moved to another socket. */
export function moveWire(old: CanvasEdge, connection: Connection): void {
  const link = old.data?.link;
  const wire = drawn(connection);
  const found = judge(connection);
  if (!link || typeof wire === "string" || "reason" in found) return;
  edit("move wire", (graph) => moved(graph, link, wire, found.how), { graph: wire.graph });
}

function moved(graph: Graph, link: Link, { from, to }: Drawn, how: "alone" | "item"): Graph {
  const isSame = from.node === link.from.node && from.port === link.from.port;
  if (isSame && to.node === link.to.node && to.port === link.to.port) return graph;
  return connect(disconnect(graph, link.to, link.index), from, to, how);
}

/** An end of a wire was let go elsewhere than at a socket: the wire is gone. */
export function dropWire(edge: CanvasEdge, state: FinalConnectionState): void {
  if (state.isValid || state.toHandle) return;
  const { link, graph } = edge.data ?? {};
  if (link) edit("disconnect", (each) => disconnect(each, link.to, link.index), { graph: graph ?? "" });
}

/** The port of a new node that the wire of a palette ends at. */
export function portFor(node: string, start: Start): string | undefined {
  const { document } = activeTab();
  const definitions = useDefinitions.getState().byId;
  const { graph, name } = ownerOf(start.node);
  const entry = (graph === "" ? document : document.graphs?.[graph])?.nodes?.[node];
  const ports = entry && portsOf(document, entry, definitions);
  return ports && fittingPort(ports, start, typeAt(document, graph, { ...start, node: name }, definitions));
}
