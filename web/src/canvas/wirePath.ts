// The shape of wires: smooth from the output to the input, through the reroute points between them.
import type { Point } from "../graph/document";

export function wirePath(from: Point, to: Point, points: readonly Point[] = []): string {
  const all = [from, ...points, to];
  let path = `M${from.x},${from.y}`;
  for (let index = 1; index < all.length; index += 1) {
    const a = all[index - 1] as Point;
    const b = all[index] as Point;
    const bend = bendOf(a, b);
    path += `C${a.x + bend},${a.y} ${b.x - bend},${b.y} ${b.x},${b.y}`;
  }
  return path;
}

/** How far a wire goes on in its direction before it turns. */
function bendOf(a: Point, b: Point): number {
  const across = b.x - a.x;
  if (across >= 0) return Math.max(across * 0.5, Math.min(24, Math.abs(b.y - a.y) * 0.5));
  return Math.min(160, 24 + Math.sqrt(-across) * 6);
}
