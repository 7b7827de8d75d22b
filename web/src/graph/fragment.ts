// Parts of a graph as text, for the clipboard: nodes with their layout, and the graphs that they run.
import type { Json } from "../api/types";
import {
  type Document,
  type Graph,
  type GraphName,
  type Layout,
  type NodeEntry,
  type Point,
  type Source,
  graphOf,
  isWire,
  parsePlace,
  place,
  withGraph,
} from "./document";
import { freeName, tidy, withLayout } from "./edits";

type Table<T> = Readonly<Record<string, T>>;

const FORMAT = "nodegraph/fragment/1";

export interface Fragment {
  readonly format: typeof FORMAT;
  readonly nodes: Table<NodeEntry>;
  readonly layout: Layout;
  readonly graphs: Table<Graph>;
}

export interface Chosen {
  readonly nodes: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  readonly notes: ReadonlySet<string>;
}

export function fragmentOf(document: Document, name: GraphName, chosen: Chosen): Fragment {
  const graph = graphOf(document, name);
  const nodes = pick(graph.nodes, (each) => chosen.nodes.has(each));
  const ofNode = (at: string) => chosen.nodes.has(parsePlace(at).node);
  const layout = tidy<Layout>({
    nodes: pick(graph.layout?.nodes, (each) => chosen.nodes.has(each)),
    groups: graph.layout?.groups?.filter((each) => chosen.groups.has(each.id)),
    notes: graph.layout?.notes?.filter((each) => chosen.notes.has(each.id)),
    wires: pick(graph.layout?.wires, ofNode),
    seeds: pick(graph.layout?.seeds, ofNode),
    open: graph.layout?.open?.filter((each) => chosen.nodes.has(each)),
  });
  return { format: FORMAT, nodes, layout, graphs: graphsOf(document, nodes) };
}

/** The graphs that nodes run, and those that these run. */
function graphsOf(document: Document, nodes: Table<NodeEntry>): Table<Graph> {
  const found: Record<string, Graph> = {};
  const visit = (entries: Table<NodeEntry> | undefined): void => {
    for (const { graph: name } of Object.values(entries ?? {})) {
      const inner = name === undefined ? undefined : document.graphs?.[name];
      if (name === undefined || !inner || name in found) continue;
      found[name] = inner;
      visit(inner.nodes);
    }
  };
  visit(nodes);
  return found;
}

/** What a text from the clipboard holds: a fragment, or a whole workflow; undefined for any other text. */
export function readFragment(text: string): Fragment | undefined {
  if (!text.trimStart().startsWith("{")) return undefined;
  let found: Partial<Fragment> | Document;
  try {
    found = JSON.parse(text) as Partial<Fragment> | Document;
  } catch {
    return undefined;
  }
  if (found.format !== FORMAT && found.format !== "nodegraph/1") return undefined;
  if (typeof found.nodes !== "object" || found.nodes === null) return undefined;
  const { nodes, layout = {}, graphs = {} } = found;
  return { format: FORMAT, nodes, layout, graphs };
}

export interface Pasted {
  readonly document: Document;
  readonly nodes: readonly string[];
  readonly groups: readonly string[];
  readonly notes: readonly string[];
}

export interface PasteOptions {
  /** Where the upper left corner goes; by default a little beside where it was. */
  readonly at?: Point;
  /** How far beside. */
  readonly beside?: number;
  /** Keep wires from nodes that are no part of it, where the graph has them. */
  readonly outside?: boolean;
  readonly newId: () => string;
}

export function paste(document: Document, name: GraphName, fragment: Fragment, options: PasteOptions): Pasted {
  const graph = graphOf(document, name);
  const names = newNames(graph, Object.keys(fragment.nodes));
  const { graphs, renamed } = mergedGraphs(document.graphs ?? {}, fragment.graphs);
  const nodes = Object.fromEntries(
    Object.entries(fragment.nodes).map(([old, entry]) => {
      const inputs = mapSources(entry.inputs, (node) => {
        const inner = names.get(node);
        return inner ?? (options.outside && graph.nodes?.[node] ? node : undefined);
      });
      const inner = entry.graph === undefined ? undefined : (renamed.get(entry.graph) ?? entry.graph);
      return [names.get(old) ?? old, tidy<NodeEntry>({ ...entry, inputs, graph: inner })];
    }),
  );
  const { layout, groups, notes } = movedLayout(fragment.layout, names, options);
  const old = graph.layout ?? {};
  const base = Object.keys(graphs).length > 0 ? { ...document, graphs } : document;
  const pasted = (each: Graph): Graph =>
    withLayout(
      { ...each, nodes: { ...each.nodes, ...nodes } },
      {
        nodes: { ...old.nodes, ...layout.nodes },
        wires: { ...old.wires, ...layout.wires },
        seeds: { ...old.seeds, ...layout.seeds },
        open: [...(old.open ?? []), ...(layout.open ?? [])],
        groups: [...(old.groups ?? []), ...(layout.groups ?? [])],
        notes: [...(old.notes ?? []), ...(layout.notes ?? [])],
      },
    );
  return { document: withGraph(base, name, pasted), nodes: Object.keys(nodes), groups, notes };
}

function newNames(graph: Graph, wanted: readonly string[]): Map<string, string> {
  const taken: Record<string, unknown> = { ...graph.nodes };
  return new Map(
    wanted.map((old) => {
      const name = freeName(taken, old.replace(/_\d+$/, ""));
      const found = old in taken ? name : freeName(taken, old);
      taken[found] = true;
      return [old, found];
    }),
  );
}

/** The graphs of a document with those of a fragment; one that differs from its namesake gets another name. */
function mergedGraphs(own: Table<Graph>, added: Table<Graph>): { graphs: Table<Graph>; renamed: Map<string, string> } {
  const renamed = new Map<string, string>();
  const taken: Record<string, unknown> = { ...own };
  for (const [name, graph] of Object.entries(added)) {
    const isSame = name in own && JSON.stringify(own[name]) === JSON.stringify(graph);
    const found = isSame ? name : freeName(taken, name);
    taken[found] = true;
    renamed.set(name, found);
  }
  const graphs: Record<string, Graph> = { ...own };
  for (const [name, graph] of Object.entries(added)) {
    const nodes = Object.fromEntries(
      Object.entries(graph.nodes ?? {}).map(([node, entry]) => [
        node,
        entry.graph === undefined ? entry : { ...entry, graph: renamed.get(entry.graph) ?? entry.graph },
      ]),
    );
    const found = renamed.get(name) ?? name;
    if (!(found in own)) graphs[found] = { ...graph, nodes };
  }
  return { graphs, renamed };
}

/** Inputs with the nodes of their wires exchanged; wires for which there is none fall away. */
function mapSources(
  inputs: Table<Source> | undefined,
  renamed: (node: string) => string | undefined,
): Table<Source> | undefined {
  if (!inputs) return undefined;
  const found: Record<string, Source> = {};
  const moved = (from: string): Source | undefined => {
    const { node, port } = parsePlace(from);
    const name = renamed(node);
    return name === undefined ? undefined : { from: place(name, port) };
  };
  for (const [port, source] of Object.entries(inputs)) {
    if (Array.isArray(source)) {
      const items = (source as readonly Json[])
        .map((each) => (isWire(each) ? moved(each.from) : each))
        .filter((each) => each !== undefined);
      if (items.length > 0 || source.length === 0) found[port] = items as Source;
    } else {
      const one = isWire(source) ? moved(source.from) : source;
      if (one !== undefined) found[port] = one;
    }
  }
  return found;
}

function movedLayout(layout: Layout, names: ReadonlyMap<string, string>, { at, beside = 30, newId }: PasteOptions) {
  const places: readonly Point[] = [
    ...Object.values(layout.nodes ?? {}),
    ...(layout.groups ?? []),
    ...(layout.notes ?? []),
  ];
  const left = Math.min(...places.map((each) => each.x));
  const top = Math.min(...places.map((each) => each.y));
  const by = at && places.length > 0 ? { x: at.x - left, y: at.y - top } : { x: beside, y: beside };
  const moved = <T extends Point>(each: T): T => ({
    ...each,
    x: Math.round(each.x + by.x),
    y: Math.round(each.y + by.y),
  });
  const keyed = <T>(table: Table<T> | undefined, change: (value: T) => T): Table<T> =>
    Object.fromEntries(
      Object.entries(table ?? {}).map(([key, value]) => {
        const { node, port } = parsePlace(key);
        return [place(names.get(node) ?? node, port), change(value)];
      }),
    );
  const groups = (layout.groups ?? []).map((each) => ({ ...moved(each), id: newId() }));
  const notes = (layout.notes ?? []).map((each) => ({ ...moved(each), id: newId() }));
  const made: Layout = {
    nodes: Object.fromEntries(
      Object.entries(layout.nodes ?? {}).map(([name, each]) => [names.get(name) ?? name, moved(each)]),
    ),
    wires: keyed(layout.wires, (points) => points.map(moved)),
    seeds: keyed(layout.seeds, (each) => each),
    open: (layout.open ?? []).map((name) => names.get(name) ?? name),
    groups,
    notes,
  };
  return { layout: made, groups: groups.map((each) => each.id), notes: notes.map((each) => each.id) };
}

function pick<T>(table: Table<T> | undefined, wanted: (name: string) => boolean): Table<T> {
  return Object.fromEntries(Object.entries(table ?? {}).filter(([name]) => wanted(name)));
}
