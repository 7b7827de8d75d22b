import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calculate, moved, numberRange, shownNumber } from "./numbers";

describe("calculate", () => {
  it.each([
    ["512", 512],
    ["512*2", 1024],
    [" 1 + 2 * 3 ", 7],
    ["(1 + 2) * 3", 9],
    ["-2^2", -4],
    ["2^-1", 0.5],
    ["10 / 4", 2.5],
    [".5", 0.5],
    ["1e3", 1000],
    ["0.1 + 0.2", 0.3],
    ["2 - -3", 5],
  ])("%s is %d", (text, value) => expect(calculate(text)).toBe(value));

  it.each(["", "fox", "1 +", "(1", "1)", "1 2", "1/0", "2**3", "1,5", "alert(1)"])("%s is no number", (text) =>
    expect(calculate(text)).toBeNull(),
  );

  it("reads back every number that a field shows", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 }), (value) => {
        expect(calculate(shownNumber(value))).toBeCloseTo(value, 10 - Math.ceil(Math.log10(Math.abs(value) + 1)));
      }),
    );
  });
});

describe("moved", () => {
  const steps = numberRange({ kind: "int", limits: { ge: 1, le: 100 } }, null);
  const size = numberRange({ kind: "int", limits: { ge: 8, multiple_of: 8 } }, null);
  const strength = numberRange({ kind: "float", limits: { gt: 0, le: 1 } }, { kind: "slider", step: 0.05 });

  it("keeps to limits and raster", () => {
    expect(moved(99, 5, steps)).toBe(100);
    expect(moved(64, 1, size)).toBe(72);
    expect(moved(60, 0, size)).toBe(64);
    expect(moved(0.1, -10, strength)).toBe(0.05);
    expect(moved(0.5, 1, strength)).toBe(0.55);
  });

  it("goes a tenth of a step when fine, but whole numbers stay whole", () => {
    expect(moved(0.5, 1, strength, true)).toBe(0.505);
    expect(moved(5, 1, steps, true)).toBe(6);
  });

  it("never leaves the range", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.05, max: 1, noNaN: true }), fc.integer({ min: -999, max: 999 }), (value, by) => {
        const result = moved(value, by, strength);
        return result >= strength.least && result <= strength.most;
      }),
    );
  });
});
