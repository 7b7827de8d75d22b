import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { axisOf, positionOf, tickText, ticksOf } from "./scale";
import { type Zoom, zoomAt } from "./zoom";

describe("axes", () => {
  it("hold every value between their ends, and round numbers too", () => {
    const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(values, fc.boolean(), (found, isLog) => {
        const axis = axisOf(found, isLog);
        for (const each of [...found, ...ticksOf(axis)]) {
          const at = positionOf(each, axis);
          if (at !== null) expect(at).toBeGreaterThanOrEqual(-1e-6);
          if (at !== null) expect(at).toBeLessThanOrEqual(1 + 1e-6);
        }
      }),
    );
  });

  it("have round numbers", () => {
    expect(ticksOf(axisOf([0, 14.6], false)).map(tickText)).toEqual(["0", "5", "10"]);
    expect(ticksOf(axisOf([0.02, 900], true)).map(tickText)).toEqual(["0.1", "1", "10", "100"]);
  });

  it("leave out what has no logarithm", () => {
    expect(positionOf(0, axisOf([0, 1, 10], true))).toBeNull();
  });
});

describe("zoomAt", () => {
  it("keeps the point under the pointer where it is", () => {
    const number = fc.double({ min: -500, max: 500, noNaN: true });
    const zooms = fc.record({ x: number, y: number, scale: fc.double({ min: 0.3, max: 60, noNaN: true }) });
    fc.assert(
      fc.property(zooms, number, number, fc.double({ min: 0.5, max: 2, noNaN: true }), (zoom, x, y, factor) => {
        const under = ({ x: left, y: top, scale }: Zoom) => [(x - left) / scale, (y - top) / scale];
        const [before, after] = [under(zoom), under(zoomAt(zoom, factor, { x, y }))];
        expect(after[0]).toBeCloseTo(before[0] ?? 0, 6);
        expect(after[1]).toBeCloseTo(before[1] ?? 0, 6);
      }),
    );
  });
});
