// Nodes that are let go elsewhere: over another region, which they move into, or out of the one that they were in.
import { type Document, type GraphName, type Point, graphOf } from "../graph/document";
import { closed, moveInto, whyNotInto } from "../graph/moving";
import { moveOut, whyNotOut } from "../graph/movingOut";
import { locate, regionOf, within } from "./paths";

export interface Moved {
  readonly document: Document;
  /** The ids that the nodes have now. */
  readonly ids: readonly string[];
}

/** Move nodes of one region, "" for the shown graph, into another one; or why they cannot go there. */
export function moveTo(
  document: Document,
  shown: GraphName,
  ids: readonly string[],
  target: string,
  positions: ReadonlyMap<string, Point>,
): Moved | { readonly reason: string } {
  let left: Moved = { document, ids };
  const from = regionOf(ids[0] ?? "");
  let region = from;
  while (region !== "" && target !== region && !target.startsWith(`${region}/`)) {
    const next = stepOut(left, shown, region);
    if ("reason" in next) return next;
    left = next;
    region = regionOf(region);
  }
  const way = target
    .slice(region ? region.length + 1 : 0)
    .split("/")
    .filter((each) => each !== "");
  for (const call of way) {
    const next = stepIn(left, shown, region, call);
    if ("reason" in next) return next;
    left = next;
    region = within(region, call);
  }
  return { ...left, document: placed(left, shown, ids, positions) };
}

function stepOut({ document, ids }: Moved, shown: GraphName, region: string): Moved | { readonly reason: string } {
  const call = locate(document, shown, region);
  const inner = locate(document, shown, within(region, ""))?.graph;
  if (!call || inner === undefined) return { reason: "that graph is not there" };
  const names = closed(graphOf(document, inner), new Set(ids.map((id) => id.slice(region.length + 1))));
  const reason = whyNotOut(document, call.graph, call.node, names);
  if (reason) return { reason };
  const before = graphOf(document, call.graph).nodes ?? {};
  const next = moveOut(document, call.graph, call.node, names);
  const made = Object.keys(graphOf(next, call.graph).nodes ?? {}).filter((name) => !(name in before));
  return { document: next, ids: made.map((name) => within(regionOf(region), name)) };
}

function stepIn(
  { document, ids }: Moved,
  shown: GraphName,
  region: string,
  call: string,
): Moved | { readonly reason: string } {
  const graph = locate(document, shown, within(region, ""))?.graph;
  if (graph === undefined) return { reason: "that graph is not there" };
  const own = ids.map((id) => id.slice(region ? region.length + 1 : 0));
  const all = closed(graphOf(document, graph), new Set([...own, call]));
  all.delete(call);
  const reason = whyNotInto(graphOf(document, graph), call, all);
  if (reason) return { reason };
  const before = innerNodes(document, graph, call);
  const next = moveInto(document, graph, call, all);
  const made = Object.keys(innerNodes(next, graph, call)).filter((name) => !(name in before));
  return { document: next, ids: made.map((name) => within(within(region, call), name)) };
}

function innerNodes(document: Document, graph: GraphName, call: string) {
  return document.graphs?.[graphOf(document, graph).nodes?.[call]?.graph ?? ""]?.nodes ?? {};
}

/** The document with the moved nodes at these positions, by the ids that they had; in the order that they had. */
function placed(
  { document, ids }: Moved,
  shown: GraphName,
  old: readonly string[],
  positions: ReadonlyMap<string, Point>,
) {
  const name = (id: string) => id.slice(id.lastIndexOf("/") + 1);
  const graph = locate(document, shown, ids[0] ?? "")?.graph;
  if (graph === undefined) return document;
  const at = new Map(old.map((id) => [name(id), positions.get(id)]));
  const { layout } = graphOf(document, graph);
  const nodes = { ...layout?.nodes };
  for (const id of ids) {
    const point = at.get(name(id)) ?? (ids.length === 1 ? positions.get(old[0] ?? "") : undefined);
    if (point) nodes[name(id)] = { ...nodes[name(id)], x: Math.round(point.x), y: Math.round(point.y) };
  }
  const changed = { ...graphOf(document, graph), layout: { ...layout, nodes } };
  return graph === ""
    ? { ...document, layout: changed.layout }
    : { ...document, graphs: { ...document.graphs, [graph]: changed } };
}
