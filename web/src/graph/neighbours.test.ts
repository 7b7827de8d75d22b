import { expect, it } from "vitest";
import { nextIn } from "./neighbours";

const box = (x: number, y: number) => ({ x, y, width: 100, height: 50 });

it("goes to what lies straight ahead before what is nearer but aside, and nowhere where nothing is", () => {
  const rects = new Map([
    ["ahead", box(300, 10)],
    ["aside", box(150, 400)],
    ["behind", box(-200, 0)],
  ]);
  expect(nextIn("right", box(0, 0), rects)).toBe("ahead");
  expect(nextIn("left", box(0, 0), rects)).toBe("behind");
  expect(nextIn("down", box(0, 0), rects)).toBe("aside");
  expect(nextIn("up", box(0, -100), rects)).toBeUndefined();
});
