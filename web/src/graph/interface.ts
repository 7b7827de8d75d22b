// The declared inputs and outputs of a graph. Nodes that run the graph follow every change of them.
import { changed, omitted, rewired, withInputs } from "./border";
import {
  type Document,
  type Graph,
  type GraphName,
  type NodeEntry,
  type Source,
  graphOf,
  isWire,
  parsePlace,
  place,
  withGraph,
  wiresOf,
} from "./document";
import { changeNode, setSource, tidy, undeclare } from "./edits";
import { usesOf } from "./library";

type Side = "inputs" | "outputs";

/** Change one graph; what the nodes that run it had for inputs and outputs that are gone goes as well. */
export function changeGraph(document: Document, name: GraphName, change: (graph: Graph) => Graph): Document {
  const before = graphOf(document, name);
  const after = change(before);
  if (after === before) return document;
  const left = withGraph(document, name, () => after);
  const gone = (side: Side) => Object.keys(before[side] ?? {}).filter((each) => !(each in (after[side] ?? {})));
  const [inputs, outputs] = [gone("inputs"), gone("outputs")];
  if (name === "" || inputs.length + outputs.length === 0) return left;
  return usesOf(left, name).reduce(
    (found, { graph, node }) => changeGraph(found, graph, (each) => withoutPorts(each, node, inputs, outputs)),
    left,
  );
}

function withoutPorts(graph: Graph, node: string, inputs: readonly string[], outputs: readonly string[]): Graph {
  let left = graph;
  for (const port of inputs) left = undeclare(setSource(left, { node, port }, undefined), { node, port });
  left = changeNode(left, node, (entry) => withoutNames(withoutNames(entry, "inputs", inputs), "outputs", outputs));
  const gone = new Set(outputs.map((port) => place(node, port)));
  if (gone.size === 0) return left;
  const nodes = changed(left.nodes ?? {}, (entry) => withInputs(entry, (source) => withoutWires(source, gone)));
  return { ...left, nodes, outputs: changed(left.outputs ?? {}, (each) => (gone.has(each.from) ? undefined : each)) };
}

function withoutNames(entry: NodeEntry, side: Side, names: readonly string[]): NodeEntry {
  const kept = (list: readonly string[] | undefined) => list?.filter((each) => !names.includes(each));
  const single = (name: string | undefined) => (name && names.includes(name) ? undefined : name);
  const { each, carry, collect, until, index } = entry;
  return side === "inputs"
    ? tidy<NodeEntry>({ ...entry, each: kept(each), carry: kept(carry), index: single(index) })
    : tidy<NodeEntry>({ ...entry, carry: kept(carry), collect: kept(collect), until: single(until) });
}

function withoutWires(source: Source, gone: ReadonlySet<string>): Source | undefined {
  if (!wiresOf(source).some((wire) => gone.has(wire.from))) return source;
  if (isWire(source)) return undefined;
  const rest = (source as readonly Source[]).filter((each) => !isWire(each) || !gone.has(each.from));
  return rest.length > 0 ? (rest as Source) : undefined;
}

/** Ask for the value of an input of a node: a new declared input, or one more place of `known`. */
export function declareInput(graph: Graph, at: string, known?: string, wanted = parsePlace(at).port): Graph {
  const { node, port } = parsePlace(at);
  const wired = wiresOf(graph.nodes?.[node]?.inputs?.[port]).length > 0;
  const free = undeclare(wired ? setSource(graph, { node, port }, undefined) : graph, { node, port });
  const name = known ?? freePort(free.inputs, wanted);
  const old = free.inputs?.[name];
  return { ...free, inputs: { ...free.inputs, [name]: old ? { ...old, to: [...old.to, at] } : { to: [at] } } };
}

/** Give the output of a node as a result of the graph. */
export function declareOutput(graph: Graph, from: string, known?: string, wanted = parsePlace(from).port): Graph {
  if (known === undefined && Object.values(graph.outputs ?? {}).some((each) => each.from === from)) return graph;
  const name = known ?? freePort(graph.outputs, wanted);
  return { ...graph, outputs: { ...graph.outputs, [name]: { ...graph.outputs?.[name], from } } };
}

export function removePort(graph: Graph, side: Side, name: string): Graph {
  return { ...graph, [side]: omitted<unknown>(graph[side], name) };
}

/** Put a declared input or output `by` places further down. */
export function shiftPort(graph: Graph, side: Side, name: string, by: number): Graph {
  const entries = Object.entries(graph[side] ?? {});
  const at = entries.findIndex(([each]) => each === name);
  const to = Math.max(0, Math.min(entries.length - 1, at + by));
  const [moved] = entries.splice(at, 1);
  if (!moved || to === at) return graph;
  entries.splice(to, 0, moved);
  return { ...graph, [side]: Object.fromEntries(entries) };
}

/** Give a declared input or output another name. One that a loop carries is both, and stays so. */
export function renamePort(document: Document, graph: GraphName, side: Side, old: string, wanted: string): Document {
  const uses = graph === "" ? [] : usesOf(document, graph);
  const entryOf = (use: (typeof uses)[number]) => graphOf(document, use.graph).nodes?.[use.node];
  const isCarried = uses.some((use) => entryOf(use)?.carry?.includes(old));
  const sides: readonly Side[] = isCarried ? ["inputs", "outputs"] : [side];
  const { inputs, outputs } = graphOf(document, graph);
  const own = uses.some((use) => entryOf(use)?.type === "repeat") ? { times: true, limit: true } : {};
  const taken = { ...own, ...(sides.includes("inputs") && inputs), ...(sides.includes("outputs") && outputs) };
  const name = freePort(omitted<unknown>(taken, old), wanted.trim() || old);
  return sides.reduce((left, each) => renamed(left, graph, each, old, name), document);
}

function renamed(document: Document, name: GraphName, side: Side, old: string, next: string): Document {
  const key = (each: string) => (each === old ? next : each);
  const left = withGraph(document, name, (graph) => ({ ...graph, [side]: withKey<unknown>(graph[side], key) }));
  if (name === "") return left;
  return usesOf(left, name).reduce(
    (found, { graph, node }) => withGraph(found, graph, (each) => renamedAt(each, node, side, old, key)),
    left,
  );
}

function renamedAt(graph: Graph, node: string, side: Side, old: string, key: (name: string) => string): Graph {
  const list = (names: readonly string[] | undefined) => names?.map(key);
  const single = (name: string | undefined) => name && key(name);
  const [from, to] = [place(node, old), place(node, key(old))];
  const at = (each: string) => (each === from ? to : each);
  if (side === "outputs") {
    const nodes = rewired(graph.nodes ?? {}, at);
    const left = {
      ...graph,
      nodes,
      outputs: changed(graph.outputs ?? {}, (each) => ({ ...each, from: at(each.from) })),
    };
    return changeNode(left, node, (entry) =>
      tidy<NodeEntry>({
        ...entry,
        carry: list(entry.carry),
        collect: list(entry.collect),
        until: single(entry.until),
      }),
    );
  }
  const layout = graph.layout && {
    ...graph.layout,
    ...(graph.layout.wires && { wires: withKey(graph.layout.wires, at) }),
    ...(graph.layout.seeds && { seeds: withKey(graph.layout.seeds, at) }),
  };
  const inputs = changed(graph.inputs ?? {}, (each) => ({ ...each, to: each.to.map(at) }));
  const left = tidy<Graph>({ ...graph, inputs, layout });
  return changeNode(left, node, (entry) =>
    tidy<NodeEntry>({
      ...entry,
      inputs: entry.inputs && withKey(entry.inputs, key),
      each: list(entry.each),
      index: single(entry.index),
    }),
  );
}

function withKey<T>(table: Readonly<Record<string, T>> = {}, key: (name: string) => string): Record<string, T> {
  return Object.fromEntries(Object.entries(table).map(([name, value]) => [key(name), value]));
}

/** A name for an input or output: any text without a dot that no other one has. */
export function freePort(taken: object = {}, wanted: string): string {
  const stem = wanted.replaceAll(".", "_");
  let name = stem;
  for (let number = 2; name in taken; number += 1) name = `${stem}_${number}`;
  return name;
}
