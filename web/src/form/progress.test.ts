import { describe, expect, it } from "vitest";
import { type NodeRun, newRun } from "../running/run";
import { progressOf } from "./progress";

const node = (state: NodeRun["state"], rest: Partial<NodeRun> = {}): NodeRun => ({ state, name: "x", ...rest });

describe("progressOf", () => {
  it("tells what waits", () =>
    expect(progressOf(newRun("j"), String)).toEqual({ part: 0, text: "Waiting for its turn…" }));

  it("counts nodes that are over, and the steps of the one at work", () => {
    const nodes = {
      a: node("cached"),
      b: node("running", { done: 5, total: 10, eta: 12.3 }),
      c: node("waiting"),
      d: node("waiting"),
    };
    const run = { ...newRun("j"), state: "running" as const, nodes };
    expect(progressOf(run, (place) => place.toUpperCase())).toEqual({ part: 0.375, text: "B, 5 of 10, 12 s left" });
  });
});
