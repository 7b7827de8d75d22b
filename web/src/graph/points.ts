// Reroute points of wires. They are kept by the input that the wire ends at; of several wires into one input the
// later ones have their number behind.
import { type Graph, type Point, place } from "./document";
import { withLayout, without } from "./edits";
import type { End } from "./wiring";

export function pointsKey(to: End, index: number): string {
  return index === 0 ? place(to.node, to.port) : `${place(to.node, to.port)}#${index}`;
}

export function setPoints(graph: Graph, key: string, points: readonly Point[]): Graph {
  const rest = without(graph.layout?.wires, (each) => each === key);
  const rounded = points.map(({ x, y }) => ({ x: Math.round(x), y: Math.round(y) }));
  return withLayout(graph, { wires: points.length > 0 ? { ...rest, [key]: rounded } : rest });
}

/** Put a point into a wire, in the stretch that it is nearest to; `ends` are where the wire begins and ends. */
export function insertPoint(points: readonly Point[], ends: readonly [Point, Point], at: Point): Point[] {
  const all = [ends[0], ...points, ends[1]];
  let nearest = 0;
  let least = Infinity;
  for (let index = 0; index + 1 < all.length; index += 1) {
    const distance = distanceTo(all[index] as Point, all[index + 1] as Point, at);
    if (distance < least) [nearest, least] = [index, distance];
  }
  return [...points.slice(0, nearest), at, ...points.slice(nearest)];
}

/** How far a point is from a stretch. */
function distanceTo(a: Point, b: Point, at: Point): number {
  const length = (b.x - a.x) ** 2 + (b.y - a.y) ** 2;
  const along = length === 0 ? 0 : ((at.x - a.x) * (b.x - a.x) + (at.y - a.y) * (b.y - a.y)) / length;
  const t = Math.max(0, Math.min(1, along));
  return Math.hypot(at.x - a.x - t * (b.x - a.x), at.y - a.y - t * (b.y - a.y));
}
