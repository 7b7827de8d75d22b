// The graphs of a document: where they are used, and new, copied, renamed and deleted ones.
import { type Document, type Graph, type GraphName, type NodeEntry, graphOf, withGraph } from "./document";
import { omitted } from "./border";
import { changeNode, freeName, tidy } from "./edits";
import { CALLS } from "./ports";

export interface Use {
  readonly graph: GraphName;
  readonly node: string;
}

/** The nodes that run a graph. */
export function usesOf(document: Document, name: GraphName): Use[] {
  return ["", ...Object.keys(document.graphs ?? {})].flatMap((graph) =>
    Object.entries(graphOf(document, graph).nodes ?? {})
      .filter(([, entry]) => runs(entry, name))
      .map(([node]) => ({ graph, node })),
  );
}

function runs(entry: NodeEntry, name: GraphName): boolean {
  return CALLS.has(entry.type) && entry.graph === name;
}

/** Whether a graph runs another one, directly or not, or is it. */
export function reaches(document: Document, from: GraphName, to: GraphName): boolean {
  const found = new Set([from]);
  for (const name of found) {
    for (const entry of Object.values(document.graphs?.[name]?.nodes ?? {})) {
      if (CALLS.has(entry.type) && entry.graph) found.add(entry.graph);
    }
  }
  return found.has(to);
}

/** The document with one more graph, and its name. */
export function addGraph(document: Document, wanted: string, graph: Graph): readonly [Document, GraphName] {
  const name = freeName(document.graphs ?? {}, wanted);
  return [{ ...document, graphs: { ...document.graphs, [name]: graph } }, name];
}

/** Give a node its own copy of the graph that it runs, when others run that one as well. */
export function ownGraph(document: Document, graph: GraphName, node: string): Document {
  const used = graphOf(document, graph).nodes?.[node]?.graph ?? "";
  if (usesOf(document, used).length < 2) return document;
  const [more, name] = addGraph(document, used, graphOf(document, used));
  return withGraph(more, graph, (each) => changeNode(each, node, (entry) => ({ ...entry, graph: name })));
}

export function renameGraph(document: Document, old: GraphName, wanted: string): Document {
  const graph = graphOf(document, old);
  const name = freeName(omitted(document.graphs, old), wanted);
  const graphs = Object.fromEntries(
    Object.entries(document.graphs ?? {}).map(([each, value]) => (each === old ? [name, graph] : [each, value])),
  );
  return eachGraph({ ...document, graphs }, (each) => renamedUses(each, old, name));
}

function renamedUses(graph: Graph, old: GraphName, name: GraphName): Graph {
  const users = Object.entries(graph.nodes ?? {}).filter(([, entry]) => runs(entry, old));
  return users.reduce((left, [node]) => changeNode(left, node, (entry) => ({ ...entry, graph: name })), graph);
}

/** Change every graph of the document, the workflow itself among them. */
export function eachGraph(document: Document, change: (graph: Graph) => Graph): Document {
  return ["", ...Object.keys(document.graphs ?? {})].reduce((left, name) => withGraph(left, name, change), document);
}

/** Without a graph that no node runs. */
export function deleteGraph(document: Document, name: GraphName): Document {
  if (!document.graphs?.[name] || usesOf(document, name).length > 0) return document;
  const graphs = omitted(document.graphs, name);
  return tidy<Document>({ ...document, graphs: Object.keys(graphs).length > 0 ? graphs : undefined });
}
