import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NodeDefinition } from "../api/types";
import { branchesOf } from "./branches";
import { type Document, type Graph, type NodeEntry, graphOf } from "./document";
import { changeGraph, declareInput, declareOutput, removePort, renamePort, shiftPort } from "./interface";
import { deleteGraph, ownGraph, reaches, renameGraph, usesOf } from "./library";
import { withCarry, withCollect, withEach, withIndex, withKind } from "./loopOptions";
import { closed, moveInto } from "./moving";
import { moveOut, whyNotOut } from "./movingOut";
import type { Definitions } from "./ports";
import { splice } from "./splice";
import { makeSubgraph, unpack } from "./subgraphs";

const NUMBER = { kind: "float" } as const;
const input = (name: string, type: object = NUMBER, lazy = "") =>
  ({ name, type, required: false, default: 0, widget: null, lazy, doc: "" }) as NodeDefinition["inputs"][number];
const output = (name: string, type: object = NUMBER) =>
  ({ name, type, may_block: false, doc: "" }) as NodeDefinition["outputs"][number];
const list = { kind: "list", item: NUMBER };
const define = (id: string, inputs: NodeDefinition["inputs"], outputs: NodeDefinition["outputs"]): NodeDefinition => ({
  id,
  version: "1",
  category: "",
  title: id,
  doc: "",
  pack: "",
  inputs,
  outputs,
  effect: false,
  cache: "content",
});
const T = { kind: "variable", name: "T", bound: null };
const DEFINITIONS: Definitions = new Map(
  [
    define("add", [input("a"), input("b")], [output("sum")]),
    define("sum", [input("items", list)], [output("sum")]),
    define("value", [input("value", T)], [output("result", T)]),
    define("item", [input("items", { kind: "list", item: T }), input("index", { kind: "int" })], [output("result", T)]),
    define(
      "choose",
      [input("condition", { kind: "bool" }), input("on_true", NUMBER, "whole"), input("on_false", NUMBER, "whole")],
      [output("result")],
    ),
  ].map((each) => [each.id, each]),
);

/** Graphs of nodes that add what earlier nodes gave, and lists of that; some inputs and outputs are declared. */
const documents = fc
  .array(
    fc.record({
      isSum: fc.boolean(),
      from: fc.array(fc.nat(), { minLength: 2, maxLength: 2 }),
      hasLiteral: fc.boolean(),
      isAsked: fc.boolean(),
      isGiven: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((made): Document => {
    const nodes: Record<string, NodeEntry> = {};
    const inputs: Record<string, { to: string[] }> = {};
    const outputs: Record<string, { from: string }> = {};
    const layout: Record<string, { x: number; y: number }> = {};
    made.forEach(({ isSum, from, hasLiteral, isAsked, isGiven }, index) => {
      const name = `n${index}`;
      const wires = index === 0 ? [] : from.map((each) => ({ from: `n${each % index}.sum` }));
      const [a = 1, b = 2] = wires;
      nodes[name] = isSum
        ? { type: "sum", inputs: { items: hasLiteral ? [...wires, 3] : wires } }
        : { type: "add", inputs: { a, b: hasLiteral ? 4 : b } };
      if (isAsked && !isSum && hasLiteral)
        inputs[`ask${index % 2}`] = { to: [...(inputs[`ask${index % 2}`]?.to ?? []), `${name}.b`] };
      if (isGiven) outputs[`out${index}`] = { from: `${name}.sum` };
      layout[name] = { x: index * 100, y: index * 37 };
    });
    return { format: "nodegraph/1", nodes, inputs, outputs, layout: { nodes: layout } };
  });
const selections = fc
  .tuple(documents, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }))
  .map(([document, chosen]) => {
    const names = Object.keys(document.nodes ?? {}).filter((_, index) => chosen[index]);
    return { document, names: new Set(names.length > 0 ? names : ["n0"]) };
  });

/** Equal but for the order of places and empty parts. */
function plain(document: Document): object {
  const graph = ({ inputs = {}, outputs = {}, layout, nodes = {} }: Graph) => ({
    nodes,
    outputs,
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, each]) => [name, [...each.to].sort()])),
    positions: layout?.nodes,
  });
  return {
    ...graph(document),
    graphs: Object.entries(document.graphs ?? {}).map(([name, each]) => [name, graph(each)]),
  };
}

describe("a graph made of a selection", () => {
  it("is unpacked to what was there, positions and all", () => {
    fc.assert(
      fc.property(selections, ({ document, names }) => {
        const made = makeSubgraph(document, "", names, DEFINITIONS);
        expect(plain(unpack(made.document, "", made.node).document)).toEqual(plain(document));
      }),
    );
  });

  it("takes what lies between along, so that no wires run in a circle", () => {
    const chain: Graph = {
      nodes: {
        a: { type: "add" },
        b: { type: "add", inputs: { a: { from: "a.sum" } } },
        c: { type: "add", inputs: { a: { from: "b.sum" } } },
      },
    };
    expect(closed(chain, new Set(["a", "c"]))).toEqual(new Set(["a", "b", "c"]));
  });

  it("has one input for one source, named after the port", () => {
    const document: Document = {
      format: "nodegraph/1",
      nodes: {
        a: { type: "add" },
        b: { type: "add", inputs: { a: { from: "a.sum" }, b: 7 } },
        c: { type: "add", inputs: { a: { from: "b.sum" }, b: { from: "a.sum" } } },
        d: { type: "add", inputs: { a: { from: "c.sum" } } },
      },
    };
    const made = makeSubgraph(document, "", new Set(["b", "c"]), DEFINITIONS, "pair");
    expect(made.document.graphs?.["pair"]).toMatchObject({
      nodes: { b: { inputs: { b: 7 } }, c: { inputs: { a: { from: "b.sum" } } } },
      inputs: { a: { to: ["b.a", "c.b"] } },
      outputs: { sum: { from: "c.sum" } },
    });
    expect(made.document.nodes).toMatchObject({
      pair: { type: "graph", graph: "pair", inputs: { a: { from: "a.sum" } } },
      d: { inputs: { a: { from: "pair.sum" } } },
    });
  });
});

describe("nodes that move over the border of a graph", () => {
  it("come back as they were", () => {
    fc.assert(
      fc.property(selections, ({ document, names }) => {
        const made = makeSubgraph(document, "", new Set(["n0"]), DEFINITIONS);
        const all = closed(graphOf(made.document, ""), new Set([...names, made.node].filter((name) => name !== "n0")));
        all.delete(made.node);
        const inside = moveInto(made.document, "", made.node, all);
        const back = moveOut(inside, "", made.node, all);
        expect(plain(unpack(back, "", made.node).document)).toEqual(plain(document));
      }),
    );
  });

  it("may not leave a loop that needs them in every round", () => {
    const at = { graph: "", node: "loop" };
    const document: Document = {
      format: "nodegraph/1",
      nodes: { loop: { type: "repeat", graph: "g", carry: ["x"], inputs: { times: 2 } } },
      graphs: {
        g: { nodes: { n: { type: "add" } }, inputs: { x: { to: ["n.a"] } }, outputs: { x: { from: "n.sum" } } },
      },
    };
    expect(whyNotOut(document, at.graph, at.node, new Set(["n"]))).toContain("in every round");
  });
});

const LOOP: Document = {
  format: "nodegraph/1",
  nodes: {
    call: { type: "graph", graph: "g", inputs: { x: 1 } },
    after: { type: "add", inputs: { a: { from: "call.y" } } },
  },
  inputs: { asked: { to: ["call.x"] } },
  outputs: { end: { from: "call.y" } },
  graphs: { g: { nodes: { n: { type: "add" } }, inputs: { x: { to: ["n.a"] } }, outputs: { y: { from: "n.sum" } } } },
};

describe("declared inputs and outputs", () => {
  it("are renamed everywhere", () => {
    const renamed = renamePort(renamePort(LOOP, "g", "inputs", "x", "first"), "g", "outputs", "y", "last");
    expect(renamed.nodes).toMatchObject({
      call: { inputs: { first: 1 } },
      after: { inputs: { a: { from: "call.last" } } },
    });
    expect(renamed.inputs).toEqual({ asked: { to: ["call.first"] } });
    expect(renamed.outputs).toEqual({ end: { from: "call.last" } });
  });

  it("go from the nodes that run the graph when they go", () => {
    const left = changeGraph(LOOP, "g", (graph) => removePort(removePort(graph, "inputs", "x"), "outputs", "y"));
    expect(left.nodes).toEqual({ call: { type: "graph", graph: "g", inputs: {} }, after: { type: "add", inputs: {} } });
    expect([left.inputs, left.outputs]).toEqual([{}, {}]);
  });

  it("are made, extended and put in another order", () => {
    const more = declareInput(declareInput(graphOf(LOOP, "g"), "n.b"), "n.b", "x");
    expect(more.inputs).toEqual({ x: { to: ["n.a", "n.b"] } });
    const two = declareOutput(declareInput(graphOf(LOOP, "g"), "n.b"), "n.sum");
    expect(Object.keys(shiftPort(two, "inputs", "b", -1).inputs ?? {})).toEqual(["b", "x"]);
    expect(two.outputs).toEqual({ y: { from: "n.sum" } });
  });
});

describe("loops", () => {
  const at = { graph: "", node: "call" };

  it("go through lists, and what took one value takes the first item", () => {
    const loop = withEach(withKind(LOOP, at, "for_each", DEFINITIONS), at, "x", true, DEFINITIONS);
    expect(loop.nodes).toMatchObject({
      call: { type: "for_each", each: ["x"], inputs: { x: [1] } },
      item: { type: "item", inputs: { items: { from: "call.y" } } },
      after: { inputs: { a: { from: "item.result" } } },
    });
    const once = withKind(withEach(loop, at, "x", false, DEFINITIONS), at, "graph", DEFINITIONS);
    expect(once.nodes).toEqual(LOOP.nodes);
  });

  it("carry what they give, and gather it under a second name", () => {
    const carried = withCarry(withKind(LOOP, at, "repeat", DEFINITIONS), at, "x", "y");
    expect(carried.nodes).toMatchObject({
      call: { carry: ["x"], inputs: { times: 4 } },
      after: { inputs: { a: { from: "call.x" } } },
    });
    const gathered = withCollect(carried, at, "x", true, DEFINITIONS);
    expect(gathered.nodes?.["call"]?.collect).toEqual(["each_x"]);
    expect(gathered.graphs?.["g"]?.outputs).toEqual({ x: { from: "n.sum" }, each_x: { from: "n.sum" } });
  });

  it("give the number of the round to one input, which gets nothing else", () => {
    const counted = withIndex(withKind(LOOP, at, "repeat", DEFINITIONS), at, "x");
    expect(counted.nodes?.["call"]).toMatchObject({ index: "x", inputs: { times: 4 } });
    expect(counted.inputs).toEqual({});
  });
});

describe("graphs of a document", () => {
  it("are copied for one node, renamed with their uses, and deleted when nothing uses them", () => {
    const twice: Document = { ...LOOP, nodes: { ...LOOP.nodes, other: { type: "graph", graph: "g" } } };
    expect(usesOf(twice, "g").map((each) => each.node)).toEqual(["call", "other"]);
    const own = ownGraph(twice, "", "other");
    expect(own.nodes?.["other"]?.graph).toBe("g_2");
    expect(renameGraph(own, "g", "part").nodes?.["call"]?.graph).toBe("part");
    expect(deleteGraph(own, "g")).toBe(own);
    expect(deleteGraph({ ...own, nodes: {} }, "g").graphs).toEqual({ g_2: own.graphs?.["g_2"] });
    expect([reaches(own, "g", "g"), reaches(own, "g", "g_2")]).toEqual([true, false]);
  });
});

const CHOICE: Document = {
  format: "nodegraph/1",
  nodes: {
    both: { type: "add" },
    one: { type: "add", inputs: { a: { from: "both.sum" } } },
    two: { type: "add", inputs: { a: { from: "both.sum" } } },
    before: { type: "add" },
    three: { type: "add", inputs: { a: { from: "before.sum" }, b: { from: "two.sum" } } },
    choice: { type: "choose", inputs: { on_true: { from: "one.sum" }, on_false: { from: "three.sum" } } },
    free: { type: "add" },
    text: { type: "choose" },
  },
};

describe("branches", () => {
  it("hold what only one of them needs", () => {
    const found = branchesOf(CHOICE, "", DEFINITIONS).map(({ label, nodes }) => [label, [...nodes].sort()]);
    expect(found).toEqual([
      ["only when condition is true", ["one"]],
      ["only when condition is false", ["before", "three", "two"]],
    ]);
  });

  it("do not hold what is given out", () => {
    const given = { ...CHOICE, outputs: { seen: { from: "one.sum" } } };
    expect(branchesOf(given, "", DEFINITIONS).map((each) => each.label)).toEqual(["only when condition is false"]);
  });
});

describe("a node put into a wire", () => {
  const link = { from: { node: "one", port: "sum" }, to: { node: "choice", port: "on_true" }, index: 0 };

  it("stands between its ends", () => {
    expect(splice(CHOICE, "", "free", link, DEFINITIONS)?.nodes).toMatchObject({
      free: { inputs: { a: { from: "one.sum" } } },
      choice: { inputs: { on_true: { from: "free.sum" } } },
    });
  });

  it("is refused where it would need itself", () => {
    expect(splice(CHOICE, "", "choice", link, DEFINITIONS)).toBeNull();
    expect(splice(CHOICE, "", "both", link, DEFINITIONS)).toBeNull();
  });
});
