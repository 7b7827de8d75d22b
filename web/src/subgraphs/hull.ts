// The outline of boxes: the smallest shape without dents around them, with room and round corners by its stroke.
import type { Point } from "../graph/document";

export interface Shape {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly path: string;
  /** Its highest corner, the left one of two. */
  readonly top: Point;
}

const ROOM = 28;
const TITLE = 22;

/** boxes: "x,y,width,height" of each, with blanks between; those that are empty do not count. */
export function hull(boxes: string): Shape | null {
  const corners = boxes
    .split(" ")
    .filter((each) => each !== "")
    .flatMap((each) => {
      const [x = 0, y = 0, width = 0, height = 0] = each.split(",").map(Number);
      return [
        { x, y: y - TITLE },
        { x: x + width, y: y - TITLE },
        { x, y: y + height },
        { x: x + width, y: y + height },
      ];
    });
  if (corners.length === 0) return null;
  const [left, right] = [Math.min(...corners.map((each) => each.x)), Math.max(...corners.map((each) => each.x))];
  const [top, bottom] = [Math.min(...corners.map((each) => each.y)), Math.max(...corners.map((each) => each.y))];
  const path = `M${outline(corners)
    .map(({ x, y }) => `${x} ${y}`)
    .join("L")}Z`;
  const highest = { x: Math.min(...corners.filter((each) => each.y === top).map((each) => each.x)), y: top };
  const size = { width: right - left + 2 * ROOM, height: bottom - top + 2 * ROOM };
  return { x: left - ROOM, y: top - ROOM, ...size, path, top: highest };
}

/** The corners of the convex hull of points, in order. */
export function outline(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y);
  const half = (all: readonly Point[]) => {
    const found: Point[] = [];
    for (const point of all) {
      while (found.length > 1 && !turnsLeft(found.at(-2) as Point, found.at(-1) as Point, point)) found.pop();
      found.push(point);
    }
    return found.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

function turnsLeft(a: Point, b: Point, c: Point): boolean {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x) > 0;
}
