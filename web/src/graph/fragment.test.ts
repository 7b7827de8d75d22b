import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Document, type Graph, wiresOf } from "./document";
import { fragmentOf, paste, readFragment } from "./fragment";

const DOCUMENT: Document = {
  format: "nodegraph/1",
  nodes: {
    model: { type: "load" },
    prompt: { type: "encode", inputs: { encoder: { from: "model.encoder" }, text: "a fox" } },
    both: { type: "collect", inputs: { items: [{ from: "prompt.out" }, { from: "model.out" }, 3] } },
    call: { type: "graph", graph: "inner", inputs: { x: { from: "prompt.out" } } },
  },
  graphs: { inner: { nodes: { deep: { type: "graph", graph: "deeper" } } }, deeper: { nodes: {} }, other: {} },
  layout: {
    nodes: { model: { x: 0, y: 0 }, prompt: { x: 100, y: 50 }, both: { x: 300, y: 80 } },
    groups: [{ id: "g", title: "Prompts", colour: "blue", x: 90, y: 10, width: 200, height: 200 }],
    wires: { "prompt.encoder": [{ x: 50, y: 20 }] },
    seeds: { "prompt.seed": "random" },
  },
};

const chosen = (...nodes: string[]) => ({ nodes: new Set(nodes), groups: new Set<string>(), notes: new Set<string>() });
const newId = () => "new";

describe("a copied part of a graph", () => {
  it("takes along the graphs that its nodes run, and no others", () => {
    expect(Object.keys(fragmentOf(DOCUMENT, "", chosen("call")).graphs).sort()).toEqual(["deeper", "inner"]);
  });

  it("keeps inner wires under new names and drops those from outside", () => {
    const pasted = paste(DOCUMENT, "", fragmentOf(DOCUMENT, "", chosen("prompt", "both")), { newId });
    expect(pasted.nodes).toEqual(["prompt_2", "both_2"]);
    expect(pasted.document.nodes?.["prompt_2"]?.inputs).toEqual({ text: "a fox" });
    expect(pasted.document.nodes?.["both_2"]?.inputs).toEqual({ items: [{ from: "prompt_2.out" }, 3] });
  });

  it("keeps wires from outside where that is asked for and the graph has their nodes", () => {
    const fragment = fragmentOf(DOCUMENT, "", chosen("prompt"));
    const same = paste(DOCUMENT, "", fragment, { newId, outside: true });
    expect(same.document.nodes?.["prompt_2"]?.inputs?.["encoder"]).toEqual({ from: "model.encoder" });
    const other = paste({ format: "nodegraph/1" }, "", fragment, { newId, outside: true });
    expect(other.document.nodes?.["prompt"]?.inputs).toEqual({ text: "a fox" });
  });

  it("has its upper left corner where it is pasted, points and groups included", () => {
    const fragment = fragmentOf(DOCUMENT, "", { ...chosen("model", "prompt"), groups: new Set(["g"]) });
    const { document } = paste({ format: "nodegraph/1" }, "", fragment, { newId, at: { x: 1000, y: 500 } });
    expect(document.layout?.nodes?.["prompt"]).toEqual({ x: 1100, y: 550 });
    expect(document.layout?.groups?.[0]).toMatchObject({ id: "new", x: 1090, y: 510 });
    expect(document.layout?.wires).toEqual({ "prompt.encoder": [{ x: 1050, y: 520 }] });
    expect(document.layout?.seeds).toEqual({ "prompt.seed": "random" });
  });

  it("shares a graph of the same content and renames one that differs", () => {
    const fragment = fragmentOf(DOCUMENT, "", chosen("call"));
    const shared = paste(DOCUMENT, "", fragment, { newId });
    expect(Object.keys(shared.document.graphs ?? {})).toEqual(Object.keys(DOCUMENT.graphs ?? {}));
    const other: Document = { format: "nodegraph/1", graphs: { inner: { title: "another" } } };
    const renamed = paste(other, "", fragment, { newId });
    expect(renamed.document.nodes?.["call"]?.graph).toBe("inner_2");
    expect(renamed.document.graphs?.["inner"]).toEqual({ title: "another" });
    expect(renamed.document.graphs?.["deeper"]).toBeDefined();
  });

  it("is read from text, as is a whole workflow, and from no other text", () => {
    const fragment = fragmentOf(DOCUMENT, "", chosen("prompt"));
    expect(readFragment(JSON.stringify(fragment))).toEqual(fragment);
    expect(readFragment(JSON.stringify(DOCUMENT))?.nodes).toEqual(DOCUMENT.nodes);
    for (const text of ["a fox", "{", "[1]", '{"format":"other","nodes":{}}', '{"format":"nodegraph/1"}']) {
      expect(readFragment(text)).toBeUndefined();
    }
  });

  it("never changes what was there, and wires of what is new lead to nodes that are there", () => {
    const names = ["a", "b", "c", "d"];
    const wire = fc.record({ from: fc.constantFrom(...names).map((name) => `${name}.out`) });
    const entry = fc.record({ type: fc.constant("t"), inputs: fc.dictionary(fc.constantFrom("x", "y"), wire) });
    const graph = fc.record({ nodes: fc.dictionary(fc.constantFrom(...names), entry) });
    fc.assert(
      fc.property(graph, graph, fc.subarray(names), (from: Graph, into: Graph, picked) => {
        const fragment = fragmentOf({ format: "nodegraph/1", ...from }, "", chosen(...picked));
        const pasted = paste({ format: "nodegraph/1", ...into }, "", fragment, { newId });
        const nodes = pasted.document.nodes ?? {};
        expect(nodes).toMatchObject(into.nodes ?? {});
        expect(pasted.nodes.length).toBe(Object.keys(fragment.nodes).length);
        for (const name of pasted.nodes) {
          for (const source of Object.values(nodes[name]?.inputs ?? {})) {
            for (const { from } of wiresOf(source)) expect(pasted.nodes).toContain(from.split(".")[0]);
          }
        }
      }),
    );
  });
});
