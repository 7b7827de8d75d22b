// Regions grow and shrink with what is in them; what did not move must stay where it is on the screen.
import { type Document, type GraphName, type Point, graphOf, withGraph } from "../graph/document";
import { changeLayout } from "../graph/edits";
import { locate, regionOf, within } from "./paths";

/** The document with the regions moved so far that the nodes in them stand where they stood before. */
export function keptStill(before: Document, after: Document, shown: GraphName, regions: Iterable<string>): Document {
  let left = after;
  for (const region of regions) {
    for (let at = region; at !== ""; at = regionOf(at)) {
      const [old, now] = [corner(before, shown, at), corner(left, shown, at)];
      const call = locate(left, shown, at);
      if (!old || !now || !call || (old.x === now.x && old.y === now.y)) continue;
      const { x = 0, y = 0 } = graphOf(left, call.graph).layout?.nodes?.[call.node] ?? {};
      const moved = { x: x + now.x - old.x, y: y + now.y - old.y };
      left = withGraph(left, call.graph, (graph) => changeLayout(graph, call.node, moved));
    }
  }
  return left;
}

/** The upper left corner of what is in a region. */
function corner(document: Document, shown: GraphName, region: string): Point | undefined {
  const graph = locate(document, shown, within(region, ""))?.graph;
  if (graph === undefined) return undefined;
  const { nodes = {}, layout } = graphOf(document, graph);
  const points = Object.keys(nodes).flatMap((name) => layout?.nodes?.[name] ?? []);
  if (points.length === 0 || points.length < Object.keys(nodes).length) return undefined;
  return { x: Math.min(...points.map((each) => each.x)), y: Math.min(...points.map((each) => each.y)) };
}
