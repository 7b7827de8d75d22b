// A node put into a wire: what the wire brought goes into it, and what it makes goes where the wire went.
import { type Document, type Graph, type GraphName, type Source, graphOf, place, withGraph, wiresOf } from "./document";
import { setSource } from "./edits";
import { type Definitions, portsOf } from "./ports";
import { type Link, fit } from "./wiring";

/** The graph with the node in that wire, by the first input and output that fit; null when none do. */
export function splice(
  document: Document,
  name: GraphName,
  node: string,
  link: Link,
  definitions: Definitions,
): Graph | null {
  const graph = graphOf(document, name);
  const entry = graph.nodes?.[node];
  const ports = entry && portsOf(document, entry, definitions);
  if (!ports || link.from.node === node || link.to.node === node) return null;
  const cut = setSource(graph, link.to, replaced(graph, link, undefined));
  const declared = new Set(Object.values(graph.inputs ?? {}).flatMap((each) => each.to));
  const isFree = (port: string) => wiresOf(entry.inputs?.[port]).length === 0 && !declared.has(place(node, port));
  const inputs = ports.inputs.filter((each) => isFree(each.name));
  for (const input of [...inputs].sort((a, b) => Number(b.required) - Number(a.required))) {
    const to = { node, port: input.name };
    const there = withGraph(document, name, () => cut);
    const into = fit(there, name, link.from, to, definitions);
    if ("reason" in into) continue;
    const wire = { from: place(link.from.node, link.from.port) };
    const fed = setSource(cut, to, into.how === "item" ? [wire] : wire);
    for (const output of ports.outputs) {
      const from = { node, port: output.name };
      const onward = fit(
        withGraph(document, name, () => fed),
        name,
        from,
        link.to,
        definitions,
      );
      const isAlone = !Array.isArray(graph.nodes?.[link.to.node]?.inputs?.[link.to.port]);
      if ("reason" in onward || (isAlone && onward.how === "item")) continue;
      return setSource(fed, link.to, replaced(graph, link, { from: place(node, output.name) }));
    }
  }
  return null;
}

/** What stands at the end of a wire, with another wire in its place or none. */
function replaced(graph: Graph, { to, index }: Link, wire: Source | undefined): Source | undefined {
  const old = graph.nodes?.[to.node]?.inputs?.[to.port];
  if (!Array.isArray(old)) return wire;
  let seen = -1;
  return (old as readonly Source[]).flatMap((each) => {
    const isIt = wiresOf(each).length > 0 && ++seen === index;
    return isIt ? (wire === undefined ? [] : [wire]) : [each];
  }) as Source;
}
