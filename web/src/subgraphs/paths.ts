// Ids of nodes on the canvas: names, and for those in regions the names of the nodes around them before.
import { type Document, type GraphName, graphOf } from "../graph/document";

export interface Located {
  readonly graph: GraphName;
  readonly node: string;
}

/** Where a node of the canvas is in the document; undefined where the way there does not exist. */
export function locate(document: Document, shown: GraphName, id: string): Located | undefined {
  const way = id.split("/");
  const node = way.pop() ?? "";
  let graph = shown;
  for (const call of way) {
    const next = graphOf(document, graph).nodes?.[call]?.graph;
    if (next === undefined || !document.graphs?.[next]) return undefined;
    graph = next;
  }
  return { graph, node };
}

/** The id of the region that a node lies in; "" for the shown graph itself. */
export function regionOf(id: string): string {
  return id.slice(0, Math.max(0, id.lastIndexOf("/")));
}

/** The id of a node that lies in a region. */
export function within(region: string, name: string): string {
  return region ? `${region}/${name}` : name;
}
