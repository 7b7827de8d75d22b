// What the palette offers besides nodes: the graphs of the document, and new graphs and loops.
import type { PaletteEntry } from "../canvas/palette/entries";
import {
  type Document,
  type Graph,
  type GraphName,
  type NodeEntry,
  type Point,
  graphOf,
  withGraph,
} from "../graph/document";
import { addNode, freeName } from "../graph/edits";
import { addGraph, reaches } from "../graph/library";
import { type Definitions, portsOf } from "../graph/ports";
import { activeTab, editDocument, shownGraph } from "../store/editor";

/** A graph that hands on what it gets, to begin with. */
const NEW_GRAPH: Graph = {
  nodes: { value: { type: "value" } },
  inputs: { value: { to: ["value.value"] } },
  outputs: { value: { from: "value.result" } },
  layout: { nodes: { value: { x: 0, y: 0 } } },
};

const NEW: readonly (Omit<NodeEntry, "graph"> & {
  readonly title: string;
  readonly doc: string;
  readonly name: string;
})[] = [
  {
    type: "graph",
    name: "part",
    title: "New graph",
    doc: "A part of the workflow with inputs and outputs of its own.",
  },
  {
    type: "for_each",
    name: "for_each",
    title: "New loop: for each item",
    doc: "Its nodes run once for every item of a list.",
    each: ["value"],
    inputs: { value: [] },
  },
  {
    type: "repeat",
    name: "repeat",
    title: "New loop: repeat",
    doc: "Its nodes run again and again; what a round gives goes into the next one.",
    carry: ["value"],
    inputs: { times: 4 },
  },
];

export function graphEntries(document: Document, definitions: Definitions): PaletteEntry[] {
  const own = Object.entries(document.graphs ?? {}).map(([graph, { title, description = "" }]): PaletteEntry => {
    const entry: NodeEntry = { type: "graph", graph };
    const ports = portsOf(document, entry, definitions);
    return {
      id: `graph ${graph}`,
      title: title || graph,
      category: "graphs of this workflow",
      doc: description,
      ...(ports && { ports }),
      create: (at) => insertGraph(graph, at),
    };
  });
  const fresh = NEW.map(({ name, title, doc, ...entry }): PaletteEntry => {
    return { id: `new ${name}`, title, category: "graphs and loops", doc, create: (at) => insertNew(name, entry, at) };
  });
  return [...fresh, ...own];
}

/** Add a node that runs a graph of the document; undefined where that graph is the shown one or runs it. */
export function insertGraph(graph: GraphName, at: Point): string | undefined {
  const { document } = activeTab();
  const shown = shownGraph(activeTab());
  if (shown !== "" && reaches(document, graph, shown)) return undefined;
  const name = freeName(graphOf(document, shown).nodes ?? {}, graph);
  editDocument("add node", (old) => withGraph(old, shown, (each) => addNode(each, name, { type: "graph", graph }, at)));
  return name;
}

function insertNew(wanted: string, entry: Omit<NodeEntry, "graph">, at: Point): string {
  const shown = shownGraph(activeTab());
  const name = freeName(graphOf(activeTab().document, shown).nodes ?? {}, wanted);
  editDocument("add node", (old) => {
    const [more, graph] = addGraph(old, wanted, NEW_GRAPH);
    return withGraph(more, shown, (each) => addNode(each, name, { ...entry, graph }, at));
  });
  return name;
}
