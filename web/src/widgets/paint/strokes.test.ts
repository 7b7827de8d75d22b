import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitted, onPicture, pressed, spotsBetween, zoomedAt } from "./strokes";

describe("dabs", () => {
  it("lie as far apart as they should, on the way", () => {
    const spots = spotsBetween({ x: 0, y: 0 }, { x: 30, y: 40 }, 20);
    expect(spots).toEqual([
      { x: 12, y: 16 },
      { x: 24, y: 32 },
    ]);
    expect(spotsBetween({ x: 5, y: 5 }, { x: 5, y: 5 }, 3)).toEqual([]);
  });

  it("are smaller when a pen is pressed less, but not with a mouse", () => {
    expect(pressed(40, 0.5, true)).toBe(20);
    expect(pressed(40, 0.5, false)).toBe(40);
    expect(pressed(4, 0, true)).toBe(1);
  });
});

describe("the view", () => {
  it("shows the whole picture at first", () => {
    expect(fitted(100, 50, 232, 400)).toEqual({ zoom: 2, x: 16, y: 150 });
  });

  it("keeps what is below the pointer when it zooms", () => {
    const number = fc.double({ min: -500, max: 500, noNaN: true });
    fc.assert(
      fc.property(number, number, fc.double({ min: 0.5, max: 2, noNaN: true }), (x, y, factor) => {
        const view = { zoom: 1.5, x: 20, y: -30 };
        const before = onPicture(view, { x, y });
        const after = onPicture(zoomedAt(view, { x, y }, factor), { x, y });
        expect(after.x).toBeCloseTo(before.x, 6);
        expect(after.y).toBeCloseTo(before.y, 6);
      }),
    );
  });
});
