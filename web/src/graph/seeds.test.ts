import { describe, expect, it } from "vitest";
import type { Document, SeedMode } from "./document";
import { MAX_SEED, nextSeeds, setSeedMode } from "./seeds";

function flow(mode: SeedMode, seed: number | { from: string }): Document {
  return {
    format: "nodegraph/1",
    nodes: { sample: { type: "sample", inputs: { seed } } },
    layout: { seeds: { "sample.seed": mode } },
  };
}

const seedIn = (document: Document) => document.nodes?.["sample"]?.inputs?.["seed"];

describe("nextSeeds", () => {
  it("leaves a fixed seed and the whole document alone", () => {
    const document = flow("fixed", 5);
    expect(nextSeeds(document)).toBe(document);
  });

  it("draws random ones anew", () => {
    expect(seedIn(nextSeeds(flow("random", 5), undefined, () => 77))).toBe(77);
    const drawn = seedIn(nextSeeds(flow("random", 5)));
    expect(drawn).toBeGreaterThanOrEqual(0);
    expect(drawn).toBeLessThan(2 ** 32);
  });

  it("counts up, but first runs the seed that was written", () => {
    expect(seedIn(nextSeeds(flow("increment", 5)))).toBe(6);
    expect(seedIn(nextSeeds(flow("increment", 5), (_graph, _at, seed) => seed !== 5))).toBe(5);
    expect(seedIn(nextSeeds(flow("increment", MAX_SEED)))).toBe(0);
  });

  it("leaves a wired seed alone", () => {
    const document = flow("random", { from: "count.seed" });
    expect(nextSeeds(document)).toBe(document);
  });

  it("also changes seeds inside subgraphs, and those that were left out", () => {
    const inner = { nodes: { noise: { type: "noise" } }, layout: { seeds: { "noise.seed": "increment" as const } } };
    const document: Document = { ...flow("fixed", 5), graphs: { detail: inner } };
    expect(nextSeeds(document).graphs?.["detail"]?.nodes?.["noise"]?.inputs).toEqual({ seed: 1 });
    expect(seedIn(nextSeeds(document))).toBe(5);
  });

  it("takes modes of nodes that are gone for nothing", () => {
    const document: Document = { format: "nodegraph/1", layout: { seeds: { "gone.seed": "random" } } };
    expect(nextSeeds(document)).toBe(document);
  });
});

describe("setSeedMode", () => {
  it("keeps only modes that are not the usual one", () => {
    const random = setSeedMode({}, { node: "a", port: "seed" }, "random");
    expect(random.layout).toEqual({ seeds: { "a.seed": "random" } });
    expect(setSeedMode(random, { node: "a", port: "seed" }, "fixed").layout).toEqual({});
  });
});
