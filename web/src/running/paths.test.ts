import { describe, expect, it } from "vitest";
import type { Document } from "../graph/document";
import { around, placeIn, placeOf, roundOf, wayTo } from "./paths";

describe("names of nodes in events", () => {
  it("are one place for all rounds", () => {
    expect(placeOf("outer[3]/call/inner[12]/text")).toBe("outer/call/inner/text");
    expect(placeOf("odd[1]")).toBe("odd[1]");
  });

  it("tell the innermost round", () => {
    expect(roundOf("outer[3]/inner[12]/text")).toBe(12);
    expect(roundOf("call/text")).toBeNull();
  });

  it("lie in the nodes around them", () => {
    expect(around("a/b/c")).toEqual(["a/b", "a"]);
    expect(around("a")).toEqual([]);
  });
});

describe("places on the canvas", () => {
  it("begin with how the shown graph was entered", () => {
    expect(placeIn([{ graph: "face", node: "detail" }], "each/text")).toBe("detail/each/text");
  });

  it("are reached by the first nodes that lead there", () => {
    const document: Document = {
      format: "nodegraph/1",
      nodes: { detail: { type: "graph", graph: "face" } },
      graphs: { face: { nodes: { each: { type: "for_each", graph: "eye" } } }, eye: {}, lost: {} },
    };
    expect(wayTo(document, "", "eye")).toEqual([
      { graph: "face", node: "detail" },
      { graph: "eye", node: "each" },
    ]);
    expect(wayTo(document, "", "lost")).toBeNull();
    expect(wayTo(document, "face", "face")).toEqual([]);
  });
});
