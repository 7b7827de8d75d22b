// Which rectangle lies next in a direction, for walking from node to node by keyboard.
import type { Rect } from "./boxes";

export type Direction = "left" | "right" | "up" | "down";

/** The name of the rectangle that one would go to from `start`; what lies straight ahead counts as nearer. */
export function nextIn(direction: Direction, start: Rect, rects: ReadonlyMap<string, Rect>): string | undefined {
  const isAcross = direction === "left" || direction === "right";
  const sign = direction === "left" || direction === "up" ? -1 : 1;
  let found: string | undefined;
  let least = Infinity;
  for (const [name, rect] of rects) {
    const x = rect.x + rect.width / 2 - start.x - start.width / 2;
    const y = rect.y + rect.height / 2 - start.y - start.height / 2;
    const ahead = sign * (isAcross ? x : y);
    const beside = Math.abs(isAcross ? y : x);
    if (ahead > 0 && beside <= 2 * ahead && ahead + 2 * beside < least) {
      found = name;
      least = ahead + 2 * beside;
    }
  }
  return found;
}
