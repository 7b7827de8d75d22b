// Outputs of a node that became lists, or are none any more.
import { mapWires } from "./border";
import { type Document, type GraphName, type NodeEntry, graphOf, parsePlace, place, withGraph } from "./document";
import { addNode, freeName, removeNodes, setSource } from "./edits";
import type { Definitions } from "./ports";
import { listType } from "./portTypes";
import { type End, fit, linksOf, outputType } from "./wiring";

/**
 * Outputs of a loop that turned into lists, or back: a wire that no longer fits takes the first item, by a node that
 * goes again when it is not needed.
 */
export function settled(
  document: Document,
  at: { graph: GraphName; node: string },
  definitions: Definitions,
): Document {
  if (!definitions.has("item")) return document;
  let left = document;
  for (const { from, to, index } of linksOf(graphOf(document, at.graph))) {
    if (from.node !== at.node) continue;
    const graph = graphOf(left, at.graph);
    const entry = graph.nodes?.[to.node];
    const source = entry?.inputs?.[to.port];
    const isItem = Array.isArray(source);
    const cut = withGraph(left, at.graph, (each) => setSource(each, to, isItem ? [] : undefined));
    const found = fit(cut, at.graph, from, to, definitions);
    const fits = "how" in found && (isItem || found.how === "alone");
    if (entry?.type === "item" && to.port === "items" && !fits) left = withoutItem(left, at.graph, to.node, from);
    else if (!fits) left = withItem(left, at.graph, from, to, index, definitions);
  }
  return left;
}

function withItem(
  document: Document,
  name: GraphName,
  from: End,
  to: End,
  index: number,
  definitions: Definitions,
): Document {
  const type = outputType(document, name, from, definitions);
  if (type.kind === "any" || !listType(type)) return document;
  return withGraph(document, name, (graph) => {
    const node = freeName(graph.nodes ?? {}, "item");
    const at = graph.layout?.nodes?.[to.node] ?? { x: 0, y: 0 };
    const entry = { type: "item", inputs: { items: { from: place(from.node, from.port) } } };
    const added = addNode(graph, node, entry, { x: at.x - 300, y: at.y - 80 });
    const source = graph.nodes?.[to.node]?.inputs?.[to.port];
    let seen = -1;
    const next = (each: string) => (++seen === index ? place(node, "result") : each);
    return source === undefined ? graph : setSource(added, to, mapWires(source, next));
  });
}

/** Without a node that took the first item, where there is but one now. */
function withoutItem(document: Document, name: GraphName, node: string, from: End): Document {
  const entry = graphOf(document, name).nodes?.[node];
  if (entry?.title || Object.keys(entry?.inputs ?? {}).length > 1) return document;
  const at = (each: string) => (parsePlace(each).node === node ? place(from.node, from.port) : each);
  return withGraph(document, name, (graph) => {
    const { nodes = {}, outputs = {} } = graph;
    const rewire = (each: NodeEntry) =>
      each.inputs ? { ...each, inputs: mapValues(each.inputs, (source) => mapWires(source, at)) } : each;
    const left = {
      ...graph,
      nodes: mapValues(nodes, rewire),
      outputs: mapValues(outputs, (o) => ({ ...o, from: at(o.from) })),
    };
    return removeNodes(left, new Set([node]));
  });
}

function mapValues<T>(table: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, change(value)]));
}
