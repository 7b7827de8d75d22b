import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aligned, arranged, distributed } from "./arrange";
import type { Rect } from "./boxes";
import type { Link } from "./wiring";

const rect = fc.record({
  x: fc.integer({ min: -500, max: 500 }),
  y: fc.integer({ min: -500, max: 500 }),
  width: fc.integer({ min: 10, max: 300 }),
  height: fc.integer({ min: 10, max: 300 }),
});
const rects = fc
  .array(rect, { minLength: 3, maxLength: 8 })
  .map((all) => new Map(all.map((each, i) => [`n${i}`, each])));

const link = (from: string, to: string): Link => ({
  from: { node: from, port: "out" },
  to: { node: to, port: "in" },
  index: 0,
});

describe("an arrangement", () => {
  it("goes from left to right along the wires, and no two nodes overlap", async () => {
    await fc.assert(
      fc.asyncProperty(rects, async (nodes) => {
        const names = [...nodes.keys()];
        const links = names.slice(1).map((name, index) => link(names[Math.floor(index / 2)] as string, name));
        const placed = await arranged(nodes, links);
        const at = (name: string): Rect => ({ ...(nodes.get(name) as Rect), ...placed.get(name) });
        for (const { from, to } of links) {
          expect(at(to.node).x).toBeGreaterThan(at(from.node).x + at(from.node).width - 1);
        }
        for (const a of names) for (const b of names) if (a < b) expect(overlap(at(a), at(b))).toBe(false);
      }),
      { numRuns: 25 },
    );
  });

  it("stays where the nodes were", async () => {
    const nodes = new Map([
      ["a", { x: 700, y: 300, width: 100, height: 50 }],
      ["b", { x: 400, y: 900, width: 100, height: 50 }],
    ]);
    const placed = [...(await arranged(nodes, [link("a", "b")])).values()];
    expect(Math.min(...placed.map((each) => each.x))).toBe(400);
    expect(Math.min(...placed.map((each) => each.y))).toBe(300);
  });
});

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

describe("aligning and distributing", () => {
  it("puts right edges in line with the farthest", () => {
    fc.assert(
      fc.property(rects, (all) => {
        const right = Math.max(...[...all.values()].map((each) => each.x + each.width));
        aligned(all, "right").forEach(({ x, y }, name) => {
          expect(x + (all.get(name)?.width ?? 0)).toBe(right);
          expect(y).toBe(all.get(name)?.y);
        });
      }),
    );
  });

  it("makes all gaps equal and leaves the ends where they are", () => {
    fc.assert(
      fc.property(rects, (all) => {
        const placed = [...distributed(all, "y")].map(([name, at]) => ({ ...(all.get(name) as Rect), ...at }));
        const gaps = placed
          .slice(1)
          .map((each, index) => each.y - (placed[index] as Rect).y - (placed[index] as Rect).height);
        gaps.forEach((gap) => expect(gap).toBeCloseTo(gaps[0] ?? 0, 6));
        expect(placed[0]?.y).toBe(Math.min(...[...all.values()].map((each) => each.y)));
      }),
    );
  });
});
