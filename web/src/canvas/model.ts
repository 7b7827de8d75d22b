// What the canvas shows of a graph: React Flow's nodes and edges, made from the document. What did not change since
// the model before is the same object again.
import type { Edge, Node } from "@xyflow/react";
import type { PortType } from "../api/types";
import {
  type Document,
  type Graph,
  type GraphName,
  type Group,
  type NodeEntry,
  type NodeLayout,
  type Note,
  type Point,
  graphOf,
  parsePlace,
} from "../graph/document";
import { CALLS, type Definitions, type Ports, portsOf } from "../graph/ports";
import { ANY, hasVariable } from "../graph/portTypes";
import { pointsKey } from "../graph/points";
import { type Link, linksOf, outputType } from "../graph/wiring";
import { type EndsNode, endsNodes, portLinks } from "../subgraphs/endsModel";
import { INPUTS, OUTPUTS } from "../subgraphs/ends";
import { type RegionBox, openNodes, regionBox } from "../subgraphs/regions";
import { innerSocket } from "../subgraphs/wires";
import { groupId, noteId } from "./ids";
import { NODE_WIDTH, estimatedHandles, estimatedHeight } from "./rows";

/** A node of a graph of the document. */
export interface NodeData extends Record<string, unknown> {
  readonly graph: GraphName;
  readonly name: string;
  readonly entry: NodeEntry;
  readonly ports: Ports | undefined;
  readonly layout: NodeLayout;
  /** Inputs that wires end at. */
  readonly wired: readonly string[];
  /** The declared inputs of the graph that go to inputs of the node, by those. */
  readonly fed: Readonly<Record<string, string>>;
  /** In a region: what its position lacks to the one in its graph. */
  readonly offset?: Point;
}

export interface GroupData extends Record<string, unknown> {
  readonly graph: GraphName;
  readonly group: Group;
}

export interface NoteData extends Record<string, unknown> {
  readonly graph: GraphName;
  readonly note: Note;
}

export interface WireData extends Record<string, unknown> {
  readonly graph: GraphName;
  readonly link: Link;
  readonly type: PortType;
  readonly index: number;
  readonly points: readonly Point[];
  /** One of its ends does not run. */
  readonly isIdle: boolean;
}

export type CanvasNode = Node<NodeData, "node">;
export type GroupNode = Node<GroupData, "frame">;
export type NoteNode = Node<NoteData, "note">;
/** A node that runs a graph, drawn open. */
export type RegionNode = Node<NodeData, "region">;
export type AnyNode = CanvasNode | RegionNode | EndsNode | GroupNode | NoteNode;
export type CanvasEdge = Edge<WireData, "wire">;

export interface CanvasModel {
  readonly nodes: readonly AnyNode[];
  readonly edges: readonly CanvasEdge[];
}

const NO_POINTS: readonly Point[] = [];
const GROUP_LAYER = -2000;
const NOTE_LAYER = -1;
const REGION_LAYER = -1000;

export function canvasModel(
  document: Document,
  name: GraphName,
  definitions: Definitions,
  before?: CanvasModel,
): CanvasModel {
  const graph = graphOf(document, name);
  const known = new Map(before?.nodes.map((each) => [each.id, each]));
  const knownEdges = new Map(before?.edges.map((each) => [each.id, each]));
  const parts = partsOf(document, name, definitions, "", new Set([name]));
  const nodes = [
    ...(graph.layout?.groups ?? []).map((group) => groupNode(name, group)),
    ...(graph.layout?.notes ?? []).map((note) => noteNode(name, note)),
    ...endsNodes(document, name, parts.nodes, definitions),
    ...parts.nodes,
  ];
  const hasEnds = (id: string) => nodes.some((each) => each.id === id);
  const ends = portLinks(document, name, definitions)
    .filter(({ link }) => hasEnds(link.from.node) && hasEnds(link.to.node))
    .map(({ link, type }) => ({ ...wireEdge(name, graph, link, type), id: endId(link), deletable: true }));
  return {
    nodes: nodes.map((each) => kept(known, each)),
    edges: [...parts.edges, ...ends].map((edge) => {
      const old = knownEdges.get(edge.id);
      return old && sameEdge(old, edge) ? old : edge;
    }),
  };
}

interface Parts {
  readonly nodes: (CanvasNode | RegionNode)[];
  readonly edges: CanvasEdge[];
}

/** The nodes and wires of a graph, and of those in it that are drawn open; `prefix` stands before their ids. */
function partsOf(
  document: Document,
  name: GraphName,
  definitions: Definitions,
  prefix: string,
  inside: ReadonlySet<GraphName>,
): Parts {
  const graph = graphOf(document, name);
  const links = linksOf(graph);
  const own = graphNodes(document, name, graph, links, definitions);
  const outputs = new Map(own.map((each) => [each.id, each.data.ports]));
  const edges = links.map((link) => {
    let type = outputs.get(link.from.node)?.outputs.find((each) => each.name === link.from.port)?.type ?? ANY;
    if (hasVariable(type)) type = outputType(document, name, link.from, definitions);
    return inRegion(wireEdge(name, graph, link, type), prefix);
  });
  const open = openNodes(document, graph, inside);
  const nodes: (CanvasNode | RegionNode)[] = [];
  for (const node of own) {
    const inner = open.get(node.id);
    const id = prefix + node.id;
    if (inner === undefined) {
      nodes.push({ ...node, id });
      continue;
    }
    const parts = partsOf(document, inner, definitions, `${id}/`, new Set([...inside, inner]));
    const children = parts.nodes.filter((each) => each.parentId === undefined);
    const box = regionBox(children);
    nodes.push(regionNode(id, node, box));
    nodes.push(...parts.nodes.map((each) => (each.parentId === undefined ? childOf(id, each, box) : each)));
    edges.push(...parts.edges);
    for (const { link, type } of portLinks(document, inner, definitions)) {
      const edge = wireEdge(inner, graphOf(document, inner), link, type);
      edges.push({ ...inRegion(edge, `${id}/`), id: `${id}/${endId(link)}`, ...atRegion(id, link) });
    }
  }
  return { nodes, edges };
}

function regionNode(id: string, node: CanvasNode, { width, height }: RegionBox): RegionNode {
  const rest = { ...node };
  delete rest.handles;
  delete rest.initialHeight;
  return { ...rest, id, type: "region", width, height, zIndex: REGION_LAYER, dragHandle: ".node-header" };
}

function childOf(region: string, node: CanvasNode | RegionNode, { offset }: RegionBox): CanvasNode | RegionNode {
  const position = { x: node.position.x - offset.x, y: node.position.y - offset.y };
  return { ...node, parentId: region, position, data: { ...node.data, offset } } as CanvasNode | RegionNode;
}

function inRegion(edge: CanvasEdge, prefix: string): CanvasEdge {
  if (!prefix) return edge;
  return { ...edge, id: prefix + edge.id, source: prefix + edge.source, target: prefix + edge.target };
}

/** Wires of declared inputs and outputs begin and end at the inner sides of the region. */
function atRegion(region: string, { from, to }: Link): Partial<CanvasEdge> {
  if (from.node === INPUTS) return { source: region, sourceHandle: innerSocket(INPUTS, from.port) };
  return { target: region, targetHandle: innerSocket(OUTPUTS, to.port) };
}

function endId({ from, to, index }: Link): string {
  return from.node === INPUTS ? `${to.node}.${to.port}#in` : wireId({ to, index });
}

function graphNodes(
  document: Document,
  name: GraphName,
  graph: Graph,
  links: readonly Link[],
  definitions: Definitions,
): CanvasNode[] {
  const wired = Map.groupBy(links, (link) => link.to.node);
  const fed = fedInputs(graph);
  return Object.entries(graph.nodes ?? {}).map(([node, entry], index): CanvasNode => {
    const layout = graph.layout?.nodes?.[node] ?? placeless(index);
    const ports = portsOf(document, entry, definitions);
    const width = layout.width ?? NODE_WIDTH;
    const isCollapsed = layout.collapsed ?? false;
    return {
      id: node,
      type: "node",
      position: { x: layout.x, y: layout.y },
      width,
      initialHeight: estimatedHeight(ports, isCollapsed),
      handles: estimatedHandles(ports, isCollapsed, width),
      data: {
        graph: name,
        name: node,
        entry,
        ports,
        layout,
        fed: fed.get(node) ?? NOTHING_FED,
        wired: [...new Set(wired.get(node)?.map((link) => link.to.port))],
      },
    };
  });
}

const NOTHING_FED: Readonly<Record<string, string>> = {};

function fedInputs(graph: Graph): Map<string, Record<string, string>> {
  const found = new Map<string, Record<string, string>>();
  for (const [name, { to }] of Object.entries(graph.inputs ?? {})) {
    for (const at of to) {
      const { node, port } = parsePlace(at);
      found.set(node, { ...found.get(node), [port]: name });
    }
  }
  return found;
}

const placeless = (index: number): NodeLayout => ({ x: (index % 6) * 320, y: Math.floor(index / 6) * 320 });

function groupNode(graph: GraphName, group: Group): GroupNode {
  const { x, y, width, height } = group;
  const position = { x, y };
  return { id: groupId(group.id), type: "frame", position, width, height, zIndex: GROUP_LAYER, data: { graph, group } };
}

function noteNode(graph: GraphName, note: Note): NoteNode {
  const { x, y, width, height } = note;
  return {
    id: noteId(note.id),
    type: "note",
    position: { x, y },
    width,
    height,
    zIndex: NOTE_LAYER,
    data: { graph, note },
  };
}

function wireEdge(name: GraphName, graph: Graph, link: Link, type: PortType): CanvasEdge {
  const { from, to, index } = link;
  const isIdle = graph.nodes?.[from.node]?.mode === "mute" || graph.nodes?.[to.node]?.mode === "mute";
  const points = graph.layout?.wires?.[pointsKey(to, index)] ?? NO_POINTS;
  return {
    id: wireId(link),
    type: "wire",
    source: from.node,
    sourceHandle: from.port,
    target: to.node,
    targetHandle: to.port,
    data: { graph: name, link, type, index, points, isIdle },
  };
}

export function wireId({ to, index }: Pick<Link, "to" | "index">): string {
  return `${to.node}.${to.port}#${index}`;
}

function kept<T extends AnyNode>(known: ReadonlyMap<string, AnyNode>, made: T): T {
  const old = known.get(made.id);
  return old && sameNode(old, made) ? (old as T) : made;
}

function sameNode(a: AnyNode, b: AnyNode): boolean {
  if (a.data.graph !== b.data.graph || !samePlace(a, b)) return false;
  if (a.type === "node" && b.type === "node") return sameData(a.data, b.data);
  if (a.type === "region" && b.type === "region") return sameData(a.data, b.data);
  if (a.type === "ends" && b.type === "ends") return JSON.stringify(a.data) === JSON.stringify(b.data);
  if (a.type === "frame" && b.type === "frame") return a.data.group === b.data.group;
  return a.type === "note" && b.type === "note" && a.data.note === b.data.note;
}

function samePlace(a: AnyNode, b: AnyNode): boolean {
  const at = ({ position, width, height, parentId }: AnyNode) =>
    [position.x, position.y, width, height, parentId].join();
  return at(a) === at(b);
}

function sameData(a: NodeData, b: NodeData): boolean {
  return (
    a.entry === b.entry &&
    samePorts(a.entry, a.ports, b.ports) &&
    sameLayout(a.layout, b.layout) &&
    a.wired.join() === b.wired.join() &&
    JSON.stringify([a.fed, a.offset]) === JSON.stringify([b.fed, b.offset])
  );
}

/** The ports of a node that runs a graph are made anew each time. */
function samePorts(entry: NodeEntry, a: Ports | undefined, b: Ports | undefined): boolean {
  return a === b || (CALLS.has(entry.type) && JSON.stringify(a) === JSON.stringify(b));
}

function sameLayout(a: NodeLayout, b: NodeLayout): boolean {
  return (
    a === b ||
    (a.x === b.x && a.y === b.y && a.width === b.width && a.collapsed === b.collapsed && a.colour === b.colour)
  );
}

function sameEdge(a: CanvasEdge, b: CanvasEdge): boolean {
  const [x, y] = [a.data, b.data];
  return (
    a.source === b.source &&
    a.sourceHandle === b.sourceHandle &&
    x?.graph === y?.graph &&
    x?.points === y?.points &&
    x?.isIdle === y?.isIdle &&
    (x?.type === y?.type || JSON.stringify(x?.type) === JSON.stringify(y?.type))
  );
}
