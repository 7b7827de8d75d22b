import { describe, expect, it } from "vitest";
import type { InputDefinition, NodeDefinition } from "../api/types";
import type { Document } from "../graph/document";
import { askedInputs, placed, problemsOf, rowsOf, seedMode } from "./asked";

const input = (name: string, rest: Partial<InputDefinition>): InputDefinition => ({
  name,
  type: { kind: "int", limits: { ge: 0 } },
  required: false,
  default: 0,
  widget: null,
  lazy: "",
  doc: "",
  ...rest,
});

const SAMPLE: NodeDefinition = {
  id: "sample",
  version: "1",
  category: "sampling",
  title: "Sample",
  doc: "",
  pack: "nodes",
  inputs: [
    input("seed", { widget: { kind: "seed" }, doc: "where the noise comes from" }),
    input("steps", { required: true, default: null }),
    input("text", { type: { kind: "str" }, default: "" }),
  ],
  outputs: [],
  effect: false,
  cache: "content",
};

const FLOW: Document = {
  format: "nodegraph/1",
  nodes: { sample: { type: "sample", inputs: { text: "a fox" } } },
  inputs: {
    what: { to: ["sample.text"], title: "What to draw" },
    seed: { to: ["sample.seed"] },
    steps: { to: ["sample.steps"] },
  },
};

const ASKED = askedInputs(FLOW, new Map([["sample", SAMPLE]]));

describe("what is asked", () => {
  it("is what the workflow declares, in its order and with what it holds", () => {
    expect(ASKED.map((each) => each.title)).toEqual(["What to draw", "seed", "steps"]);
    expect(ASKED[0]?.input).toMatchObject({ name: "what", default: "a fox", required: false });
    expect(ASKED[2]?.input.required).toBe(true);
    expect(ASKED[1]).toMatchObject({ isSeed: true, input: { doc: "where the noise comes from" } });
  });

  it("says what is wrong before it is sent", () => {
    expect(problemsOf(ASKED, { seed: -1 })).toEqual({
      seed: "it is out of range; give a number at least 0",
      steps: "it is needed",
    });
    expect(problemsOf(ASKED, { steps: 3 })).toEqual({});
  });
});

describe("defects", () => {
  it("stand at the input that goes there", () => {
    const defect = { code: "refused" as const, reason: "too long", remedy: "shorten it", graph: "", value: null };
    const found = placed(FLOW, [
      { ...defect, node: "sample", input: "text" },
      { ...defect, node: "", input: "steps" },
      { ...defect, node: "sample", input: "latent" },
    ]);
    expect(found.at).toEqual({ what: "too long; shorten it", steps: "too long; shorten it" });
    expect(found.others).toEqual(["sample: too long; shorten it"]);
  });
});

describe("seeds of several runs", () => {
  const values = { seed: 5, steps: 3 };
  const seeds = (mode: "fixed" | "random" | "increment", isUsed: boolean) => {
    let drawn = 100;
    return rowsOf(
      ASKED,
      values,
      { seed: mode },
      () => isUsed,
      3,
      () => drawn++,
    ).map((each) => each["seed"]);
  };

  it("are drawn, counted up, or begin at the fixed one", () => {
    expect(seeds("random", false)).toEqual([100, 101, 102]);
    expect(seeds("increment", false)).toEqual([5, 6, 7]);
    expect(seeds("increment", true)).toEqual([6, 7, 8]);
    expect(seeds("fixed", true)).toEqual([5, 6, 7]);
  });

  it("change as the workflow says, by default at random", () => {
    expect(seedMode(FLOW, "seed")).toBe("random");
    expect(seedMode({ ...FLOW, layout: { seeds: { "sample.seed": "increment" } } }, "seed")).toBe("increment");
  });
});
