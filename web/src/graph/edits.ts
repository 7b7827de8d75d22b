// Edits of one graph as pure functions; what belongs to a node (wires, declared inputs, layout) goes with it.
import type { Json } from "../api/types";
import {
  type DeclaredInput,
  type DeclaredOutput,
  type Graph,
  type Layout,
  type NodeEntry,
  type NodeLayout,
  type Point,
  type Source,
  isWire,
  parsePlace,
  place,
  wiresOf,
  written,
} from "./document";
import type { End } from "./wiring";

type Table<T> = Readonly<Record<string, T>>;

export function addNode(graph: Graph, name: string, entry: NodeEntry, at: Point): Graph {
  return withLayout(
    { ...graph, nodes: { ...graph.nodes, [name]: entry } },
    { nodes: { ...graph.layout?.nodes, [name]: { ...at } } },
  );
}

/** A name that no node of the graph has: `wanted`, or with a number behind. */
export function freeName(taken: Readonly<Record<string, unknown>>, wanted: string): string {
  const stem = wanted.replace(/[^A-Za-z0-9_-]/g, "_").replace(/^[^A-Za-z_]+/, "") || "node";
  if (!(stem in taken)) return stem;
  let number = 2;
  while (`${stem}_${number}` in taken) number += 1;
  return `${stem}_${number}`;
}

export function changeNode(graph: Graph, name: string, change: (entry: NodeEntry) => NodeEntry): Graph {
  const entry = graph.nodes?.[name];
  return entry ? { ...graph, nodes: { ...graph.nodes, [name]: change(entry) } } : graph;
}

/** Write a literal into an input, or with undefined take away what stands there. */
export function setInput(graph: Graph, { node, port }: End, value: Json | undefined): Graph {
  return setSource(graph, { node, port }, value === undefined ? undefined : written(value));
}

export function setSource(graph: Graph, { node, port }: End, source: Source | undefined): Graph {
  const changed = changeNode(graph, node, (entry) => {
    if (source !== undefined) return { ...entry, inputs: { ...entry.inputs, [port]: source } };
    return { ...entry, inputs: without(entry.inputs, (each) => each === port) };
  });
  return wiresOf(source).length > 0 ? changed : withoutPoints(changed, place(node, port));
}

/** Draw a wire; one that stands `alone` takes the place of what was there, an `item` is put behind the others. */
export function connect(graph: Graph, from: End, to: End, how: "alone" | "item"): Graph {
  const wire = { from: place(from.node, from.port) };
  const old = graph.nodes?.[to.node]?.inputs?.[to.port];
  const kept = how === "item" && Array.isArray(old) ? (old as readonly Json[]) : how === "item" ? wiresOf(old) : [];
  return undeclare(setSource(graph, to, how === "item" ? [...kept, wire] : wire), to);
}

/** Take away the wire of that index from an input. */
export function disconnect(graph: Graph, to: End, index = 0): Graph {
  const old = graph.nodes?.[to.node]?.inputs?.[to.port];
  if (!Array.isArray(old)) return setSource(graph, to, undefined);
  let seen = -1;
  const rest = (old as readonly Json[]).filter((each) => !isWire(each) || ++seen !== index);
  return setSource(withoutPointsOf(graph, to, index), to, rest.length > 0 ? rest : undefined);
}

/** The reroute points of the wire of that index fall away, those of later ones move up. */
function withoutPointsOf(graph: Graph, to: End, index: number): Graph {
  const at = place(to.node, to.port);
  const wires = Object.entries(graph.layout?.wires ?? {}).flatMap(([key, points]) => {
    const [own, behind = "0"] = key.split("#");
    const number = Number(behind);
    if (own !== at || number < index) return [[key, points] as const];
    if (number === index) return [];
    return [[number === 1 ? at : `${at}#${number - 1}`, points] as const];
  });
  return graph.layout?.wires ? withLayout(graph, { wires: Object.fromEntries(wires) }) : graph;
}

/** Without these nodes and everything that leads to them. */
export function removeNodes(graph: Graph, names: ReadonlySet<string>): Graph {
  const nodes = Object.fromEntries(
    Object.entries(graph.nodes ?? {})
      .filter(([name]) => !names.has(name))
      .map(([name, entry]) => [name, withoutWiresFrom(entry, names)]),
  );
  const inputs = changeValues(graph.inputs, (declared) => {
    const to = declared.to.filter((each) => !names.has(parsePlace(each).node));
    return to.length === 0 ? undefined : to.length === declared.to.length ? declared : { ...declared, to };
  });
  const outputs = changeValues(graph.outputs, (each) => (names.has(parsePlace(each.from).node) ? undefined : each));
  const layout: Layout = {
    nodes: without(graph.layout?.nodes, (name) => names.has(name)),
    wires: without(graph.layout?.wires, (at) => names.has(parsePlace(at).node)),
    seeds: without(graph.layout?.seeds, (at) => names.has(parsePlace(at).node)),
    open: (graph.layout?.open ?? []).filter((name) => !names.has(name)),
  };
  return withLayout(tidy({ ...graph, nodes, inputs, outputs }), layout);
}

function withoutWiresFrom(entry: NodeEntry, names: ReadonlySet<string>): NodeEntry {
  const isGone = (each: unknown) => isWire(each) && names.has(parsePlace(each.from).node);
  if (!Object.values(entry.inputs ?? {}).some((each) => wiresOf(each).some(isGone))) return entry;
  const inputs: Record<string, Source> = {};
  for (const [port, source] of Object.entries(entry.inputs ?? {})) {
    if (isGone(source)) continue;
    if (!Array.isArray(source)) inputs[port] = source;
    else {
      const rest = (source as readonly Json[]).filter((each) => !isGone(each));
      if (rest.length > 0 || source.length === 0) inputs[port] = rest;
    }
  }
  return { ...entry, inputs };
}

/** Give a node another name, everywhere it is mentioned. */
export function renameNode(graph: Graph, old: string, name: string): Graph {
  const moved = (at: string) => {
    const { node, port } = parsePlace(at);
    return node === old ? place(name, port) : at;
  };
  const rewire = (source: Source): Source => {
    if (isWire(source)) return { from: moved(source.from) };
    return Array.isArray(source)
      ? (source as readonly Json[]).map((each) => (isWire(each) ? { from: moved(each.from) } : each))
      : source;
  };
  const key = (each: string) => (each === old ? name : each);
  return tidy({
    ...graph,
    nodes: mapTable(graph.nodes, key, (entry) => {
      const touches = Object.values(entry.inputs ?? {}).some((each) =>
        wiresOf(each).some((wire) => parsePlace(wire.from).node === old),
      );
      return touches ? { ...entry, inputs: changeValues(entry.inputs, rewire) ?? {} } : entry;
    }),
    inputs: changeValues(graph.inputs, (each): DeclaredInput => ({ ...each, to: each.to.map(moved) })),
    outputs: changeValues(graph.outputs, (each): DeclaredOutput => ({ ...each, from: moved(each.from) })),
    layout: tidy({
      ...graph.layout,
      nodes: mapTable(graph.layout?.nodes, key, (each) => each),
      wires: mapTable(graph.layout?.wires, moved, (each) => each),
      seeds: mapTable(graph.layout?.seeds, moved, (each) => each),
      open: graph.layout?.open?.map(key),
    }),
  });
}

/** No declared input of the graph goes to this place any more. */
export function undeclare(graph: Graph, { node, port }: End): Graph {
  const at = place(node, port);
  if (!Object.values(graph.inputs ?? {}).some((each) => each.to.includes(at))) return graph;
  const inputs = changeValues(graph.inputs, (declared) => {
    const to = declared.to.filter((each) => each !== at);
    return to.length > 0 ? { ...declared, to } : undefined;
  });
  return tidy({ ...graph, inputs });
}

export function changeLayout(graph: Graph, name: string, change: Partial<NodeLayout>): Graph {
  const old = graph.layout?.nodes?.[name] ?? { x: 0, y: 0 };
  return withLayout(graph, { nodes: { ...graph.layout?.nodes, [name]: tidy({ ...old, ...change }) } });
}

export function moveNodes(graph: Graph, positions: ReadonlyMap<string, Point>): Graph {
  const nodes: Record<string, NodeLayout> = { ...graph.layout?.nodes };
  positions.forEach(({ x, y }, name) => (nodes[name] = { ...nodes[name], x: Math.round(x), y: Math.round(y) }));
  return withLayout(graph, { nodes });
}

/** The graph with parts of its layout exchanged; empty parts are left out. */
export function withLayout(graph: Graph, change: Partial<Layout>): Graph {
  const layout = Object.fromEntries(
    Object.entries({ ...graph.layout, ...change }).filter(([, part]) => part && Object.keys(part).length > 0),
  ) as Layout;
  return { ...graph, layout };
}

function withoutPoints(graph: Graph, at: string): Graph {
  const isGone = (each: string) => each === at || each.startsWith(`${at}#`);
  return Object.keys(graph.layout?.wires ?? {}).some(isGone)
    ? withLayout(graph, { wires: without(graph.layout?.wires, isGone) })
    : graph;
}

export function without<T>(table: Table<T> | undefined, isGone: (name: string) => boolean): Table<T> {
  return Object.fromEntries(Object.entries(table ?? {}).filter(([name]) => !isGone(name)));
}

function changeValues<T>(table: Table<T> | undefined, change: (value: T) => T | undefined): Table<T> | undefined {
  if (!table) return undefined;
  const found = Object.entries(table).map(([name, value]) => [name, change(value)] as const);
  return Object.fromEntries(found.filter((each): each is [string, T] => each[1] !== undefined));
}

function mapTable<T>(table: Table<T> | undefined, key: (name: string) => string, change: (value: T) => T) {
  if (!table) return undefined;
  return Object.fromEntries(Object.entries(table).map(([name, value]) => [key(name), change(value)]));
}

/** The same object without what is undefined. */
export function tidy<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
