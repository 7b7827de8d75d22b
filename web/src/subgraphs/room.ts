// Room for nodes that grow: what lies right of one or below it moves away, and comes back when it shrinks.
import { canvasModel } from "../canvas/model";
import { type Document, type GraphName, type Point, withGraph } from "../graph/document";
import { moveNodes } from "../graph/edits";
import type { Definitions } from "../graph/ports";
import { locate, regionOf } from "./paths";

interface Size {
  readonly width: number;
  readonly height: number;
}

/** What is higher above is not beside. */
const TALL = 300;

/** The document in which a node got another size, and by it the regions around it, with room made for them. */
export function withRoom(
  before: Document,
  after: Document,
  shown: GraphName,
  id: string,
  definitions: Definitions,
  measured: (id: string) => Size | undefined,
): Document {
  const old = sizes(before, shown, definitions);
  let left = after;
  for (let at = id; at !== ""; at = regionOf(at)) {
    const [from, to] = [measured(at) ?? old.get(at), sizes(left, shown, definitions).get(at)];
    const found = locate(left, shown, at);
    if (!from || !to || !found) continue;
    left = withGraph(left, found.graph, (graph) => {
      const positions = graph.layout?.nodes ?? {};
      const own = positions[found.node];
      return own ? moveNodes(graph, moved(positions, found.node, own, from, to)) : graph;
    });
  }
  return left;
}

function moved(
  positions: Readonly<Record<string, Point>>,
  node: string,
  own: Point,
  from: Size,
  to: Size,
): Map<string, Point> {
  const found = new Map<string, Point>();
  for (const [name, { x, y }] of Object.entries(positions)) {
    if (name === node) continue;
    const isAbove = y + TALL < own.y;
    if (y >= own.y + from.height) found.set(name, { x, y: y + to.height - from.height });
    else if (x >= own.x + from.width && !isAbove) found.set(name, { x: x + to.width - from.width, y });
  }
  return found;
}

function sizes(document: Document, shown: GraphName, definitions: Definitions): Map<string, Size> {
  return new Map(
    canvasModel(document, shown, definitions).nodes.map((each) => [
      each.id,
      { width: each.width ?? 0, height: each.height ?? each.initialHeight ?? 0 },
    ]),
  );
}
