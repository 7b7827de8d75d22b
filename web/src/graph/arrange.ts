// Where nodes go: from left to right along their wires, in line with each other, at equal distances.
import type { Point } from "./document";
import type { Rect } from "./boxes";
import type { Link } from "./wiring";

export type Rects = ReadonlyMap<string, Rect>;
export type Alignment = "left" | "right" | "top" | "bottom" | "centre" | "middle";

const BETWEEN_LAYERS = 70;
const BETWEEN_NODES = 30;

/** Positions that follow the wires; the arrangement's corner is where that of the nodes was. */
export async function arranged(rects: Rects, links: readonly Link[]): Promise<Map<string, Point>> {
  const { default: dagre } = await import("@dagrejs/dagre");
  const drawing = new dagre.graphlib.Graph();
  drawing.setGraph({ rankdir: "LR", ranksep: BETWEEN_LAYERS, nodesep: BETWEEN_NODES, ranker: "network-simplex" });
  drawing.setDefaultEdgeLabel(() => ({}));
  rects.forEach(({ width, height }, name) => drawing.setNode(name, { width, height }));
  for (const { from, to } of links) {
    if (rects.has(from.node) && rects.has(to.node)) drawing.setEdge(from.node, to.node);
  }
  dagre.layout(drawing);
  const corners = [...rects].map(([name, { width, height }]) => {
    const middle = drawing.node(name) as unknown as Point;
    return [name, { x: middle.x - width / 2, y: middle.y - height / 2 }] as const;
  });
  const old = cornerOf([...rects.values()]);
  const made = cornerOf(corners.map(([, at]) => at));
  return new Map(corners.map(([name, { x, y }]) => [name, { x: x - made.x + old.x, y: y - made.y + old.y }]));
}

function cornerOf(points: readonly Point[]): Point {
  if (points.length === 0) return { x: 0, y: 0 };
  return { x: Math.min(...points.map((each) => each.x)), y: Math.min(...points.map((each) => each.y)) };
}

/** Put rectangles in line with the one that is farthest to that side, or with the mean of their middles. */
export function aligned(rects: Rects, to: Alignment): Map<string, Point> {
  const all = [...rects.values()];
  const mean = (of: (rect: Rect) => number) => all.reduce((sum, each) => sum + of(each), 0) / all.length;
  const left = Math.min(...all.map((each) => each.x));
  const right = Math.max(...all.map((each) => each.x + each.width));
  const top = Math.min(...all.map((each) => each.y));
  const bottom = Math.max(...all.map((each) => each.y + each.height));
  const centre = mean((each) => each.x + each.width / 2);
  const middle = mean((each) => each.y + each.height / 2);
  const placed: Readonly<Record<Alignment, (rect: Rect) => Point>> = {
    left: ({ y }) => ({ x: left, y }),
    right: ({ y, width }) => ({ x: right - width, y }),
    top: ({ x }) => ({ x, y: top }),
    bottom: ({ x, height }) => ({ x, y: bottom - height }),
    centre: ({ y, width }) => ({ x: centre - width / 2, y }),
    middle: ({ x, height }) => ({ x, y: middle - height / 2 }),
  };
  return new Map([...rects].map(([name, rect]) => [name, placed[to](rect)]));
}

/** Make the gaps between rectangles equal; the first and the last stay. */
export function distributed(rects: Rects, axis: "x" | "y"): Map<string, Point> {
  const size = axis === "x" ? "width" : "height";
  const inOrder = [...rects].sort(([, a], [, b]) => a[axis] - b[axis]);
  const first = inOrder[0]?.[1];
  const last = inOrder.at(-1)?.[1];
  if (!first || !last || inOrder.length < 3) return new Map();
  const room = last[axis] + last[size] - first[axis] - inOrder.reduce((sum, [, each]) => sum + each[size], 0);
  const gap = room / (inOrder.length - 1);
  let next = first[axis];
  return new Map(
    inOrder.map(([name, rect]) => {
      const at = { x: rect.x, y: rect.y, [axis]: next };
      next += rect[size] + gap;
      return [name, at];
    }),
  );
}
