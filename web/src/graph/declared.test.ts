import { describe, expect, it } from "vitest";
import { declaredAt, describeInput, nameFor, nameProblem } from "./declared";
import { type Graph, place } from "./document";
import { declareInput, declareOutput, removePort, shiftPort } from "./interface";
import type { End } from "./wiring";

const GRAPH: Graph = { nodes: { a: { type: "sample" }, b: { type: "sample" } } };
const A = { node: "a", port: "seed" };
const B = { node: "b", port: "seed" };

function ask(graph: Graph, end: End): Graph {
  return declareInput(graph, place(end.node, end.port), undefined, nameFor(graph.inputs, end));
}

describe("declared inputs", () => {
  it("take the port's name, and the node's too where that is taken", () => {
    const both = ask(ask(GRAPH, A), B);
    expect(both.inputs).toEqual({ seed: { to: ["a.seed"] }, b_seed: { to: ["b.seed"] } });
    expect(declaredAt(both, B)?.[0]).toBe("b_seed");
    expect(removePort(both, "inputs", "seed").inputs).toEqual({ b_seed: { to: ["b.seed"] } });
  });

  it("have a title and help, which go away when they are empty", () => {
    const told = describeInput(describeInput(ask(GRAPH, A), "seed", { title: "Seed" }), "seed", { help: "x" });
    expect(told.inputs).toEqual({ seed: { to: ["a.seed"], title: "Seed", help: "x" } });
    expect(describeInput(told, "seed", { title: "", help: "" }).inputs).toEqual({ seed: { to: ["a.seed"] } });
  });

  it("can be put in another order", () => {
    const graph: Graph = { inputs: { x: { to: [] }, y: { to: [] }, z: { to: [] } } };
    expect(Object.keys(shiftPort(graph, "inputs", "x", 1).inputs ?? {})).toEqual(["y", "x", "z"]);
    expect(Object.keys(shiftPort(graph, "inputs", "z", -9).inputs ?? {})).toEqual(["z", "x", "y"]);
    expect(shiftPort(graph, "inputs", "x", -1)).toBe(graph);
  });
});

describe("declared outputs", () => {
  it("are made and taken away", () => {
    const graph = declareOutput(GRAPH, "a.latent");
    expect(graph.outputs).toEqual({ latent: { from: "a.latent" } });
    expect(removePort(graph, "outputs", "latent").outputs).toEqual({});
  });
});

describe("names of nodes", () => {
  it.each([
    ["a", null],
    ["c-2", null],
    ["b", "another node"],
    ["2c", "begins with a letter"],
    ["c.d", "begins with a letter"],
    ["", "begins with a letter"],
  ])("%s", (name, wanted) => {
    const found = nameProblem(GRAPH, "a", name);
    if (wanted === null) expect(found).toBeNull();
    else expect(found).toContain(wanted);
  });
});
