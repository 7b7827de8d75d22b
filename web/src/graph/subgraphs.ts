// A selection made into a graph of its own with a node that runs it, and the inverse.
import {
  type Document,
  type Graph,
  type GraphName,
  type Layout,
  type Point,
  graphOf,
  parsePlace,
  withGraph,
} from "./document";
import { addNode, freeName, removeNodes, withLayout } from "./edits";
import { addGraph, deleteGraph } from "./library";
import { closed, moveInto } from "./moving";
import { moveOut } from "./movingOut";
import { type Definitions, portsOf } from "./ports";
import { linksOf } from "./wiring";
import { Border, passesOf, shifted } from "./border";

export interface Made {
  readonly document: Document;
  /** The node that runs the new graph. */
  readonly node: string;
  readonly graph: GraphName;
}

/**
 * Make nodes into a graph and put a node that runs it in their place. Nodes between them come along. What nothing is
 * wired to becomes an output of the graph as well, so that it can be seen.
 */
export function makeSubgraph(
  document: Document,
  graph: GraphName,
  names: ReadonlySet<string>,
  definitions: Definitions,
  wanted = "part",
): Made {
  const outer = graphOf(document, graph);
  const all = closed(outer, names);
  const [withInner, inner] = addGraph(document, wanted, {});
  const node = freeName(outer.nodes ?? {}, inner);
  const at = middle(outer.layout, all);
  const withCall = withGraph(withInner, graph, (each) => addNode(each, node, { type: "graph", graph: inner }, at));
  const moved = moveInto(withCall, graph, node, all);
  return { document: withGraph(moved, inner, (each) => withEnds(moved, each, definitions)), node, graph: inner };
}

/** The graph with outputs for the nodes whose results nothing takes. */
function withEnds(document: Document, graph: Graph, definitions: Definitions): Graph {
  const used = new Set(linksOf(graph).map((link) => link.from.node));
  for (const { from } of Object.values(graph.outputs ?? {})) used.add(parsePlace(from).node);
  const outputs = { ...graph.outputs };
  for (const [name, entry] of Object.entries(graph.nodes ?? {})) {
    const ports = portsOf(document, entry, definitions);
    if (used.has(name) || !ports || ports.effect) continue;
    for (const { name: port } of ports.outputs) outputs[freeName(outputs, port)] = { from: `${name}.${port}` };
  }
  return { ...graph, outputs };
}

/** Put the nodes of the graph that a node runs in its place; the graph goes when nothing else runs it. */
export function unpack(document: Document, graph: GraphName, node: string): { document: Document; nodes: Set<string> } {
  const outer = graphOf(document, graph);
  const used = outer.nodes?.[node]?.graph ?? "";
  const inner = graphOf(document, used);
  const names = new Set(Object.keys(inner.nodes ?? {}));
  const at = outer.layout?.nodes?.[node] ?? { x: 0, y: 0 };
  const passes = passesOf(new Border(document, graph, node), names);
  const from = middle(inner.layout, new Set([...names].filter((name) => !passes.has(name))));
  const shift = { x: at.x - from.x, y: at.y - from.y };
  const moved = moveOut(document, graph, node, names, shift);
  const own = graphOf(moved, graph).nodes?.[node]?.graph ?? "";
  const left = withGraph(moved, graph, (each) => withBoxes(removeNodes(each, new Set([node])), inner.layout, shift));
  const nodes = Object.keys(graphOf(left, graph).nodes ?? {}).filter((name) => !(name in (outer.nodes ?? {})));
  return { document: deleteGraph(left, own), nodes: new Set(nodes) };
}

/** The graph with the groups and notes of another one. */
function withBoxes(graph: Graph, { groups = [], notes = [] }: Layout = {}, shift: Point): Graph {
  const own = <T extends Point & { readonly id: string }>(boxes: readonly T[] = [], more: readonly T[]) => {
    const ids = new Set(boxes.map((each) => each.id));
    return [
      ...boxes,
      ...more.map((each) => shifted(ids.has(each.id) ? { ...each, id: crypto.randomUUID() } : each, shift)),
    ];
  };
  return withLayout(graph, { groups: own(graph.layout?.groups, groups), notes: own(graph.layout?.notes, notes) });
}

/** The middle of where nodes lie, in whole numbers. */
function middle(layout: Layout | undefined, names: ReadonlySet<string>): Point {
  const points = [...names].flatMap((name) => layout?.nodes?.[name] ?? []);
  if (points.length === 0) return { x: 0, y: 0 };
  const mid = (values: readonly number[]) => Math.round((Math.min(...values) + Math.max(...values)) / 2);
  return { x: mid(points.map((each) => each.x)), y: mid(points.map((each) => each.y)) };
}
