import { describe, expect, it } from "vitest";
import type { InputDefinition, NodeDefinition, PortType } from "../api/types";
import { type Document, place } from "./document";
import { fittingPlaces, fittingPort, typeAt } from "./fitting";
import { type Ports } from "./ports";
import { fit } from "./wiring";

const IMAGE: PortType = { kind: "wire", id: "nodes.Image" };
const INT: PortType = { kind: "int" };
const T: PortType = { kind: "variable", name: "T" };

function definition(id: string, inputs: Record<string, PortType>, outputs: Record<string, PortType>): NodeDefinition {
  const input = ([name, type]: [string, PortType]): InputDefinition => ({
    name,
    type,
    required: type.kind === "wire",
    default: null,
    widget: null,
    lazy: "",
    doc: "",
  });
  return {
    id,
    version: "1",
    category: "test",
    title: id,
    doc: "",
    pack: "test",
    inputs: Object.entries(inputs).map(input),
    outputs: Object.entries(outputs).map(([name, type]) => ({ name, type, may_block: false, doc: "" })),
    effect: false,
    cache: "content",
  };
}

const DEFINITIONS = new Map(
  [
    definition("load", { seed: INT }, { image: IMAGE, size: INT }),
    definition("blur", { radius: INT, image: IMAGE }, { image: IMAGE }),
    definition("gather", { images: { kind: "list", item: IMAGE } }, { count: INT }),
    definition("pass", { value: T }, { value: T }),
  ].map((each) => [each.id, each]),
);

const DOCUMENT: Document = {
  format: "nodegraph/1",
  nodes: {
    load: { type: "load" },
    blur: { type: "blur", inputs: { image: { from: "load.image" } } },
    gather: { type: "gather", inputs: { images: [{ from: "blur.image" }] } },
    pass: { type: "pass", inputs: { value: { from: "load.image" } } },
    unknown: { type: "nobody has it" },
  },
};

describe("the sockets that a wire fits", () => {
  it("are just those that a single question for each would find", () => {
    const ends = Object.entries(DOCUMENT.nodes ?? {}).flatMap(([node, { type }]) => {
      const ports: Ports | undefined = DEFINITIONS.get(type);
      return [
        ...(ports?.inputs ?? []).map(({ name }) => ({ node, port: name, side: "input" as const })),
        ...(ports?.outputs ?? []).map(({ name }) => ({ node, port: name, side: "output" as const })),
      ];
    });
    const outputs = ends.filter((each) => each.side === "output");
    const inputs = ends.filter((each) => each.side === "input");
    for (const start of ends) {
      const others = start.side === "output" ? inputs : outputs;
      const expected = others.filter((other) => {
        const [from, to] = start.side === "output" ? [start, other] : [other, start];
        return "how" in fit(DOCUMENT, "", from, to, DEFINITIONS);
      });
      const places = expected.map((each) => place(each.node, each.port)).sort();
      expect([...fittingPlaces(DOCUMENT, "", start, DEFINITIONS)].sort(), place(start.node, start.port)).toEqual(
        places,
      );
    }
  });
});

describe("the port of a new node", () => {
  const ports = (id: string): Ports => DEFINITIONS.get(id) as Ports;

  it("is a needed input before another, and none where nothing fits", () => {
    const start = { node: "load", port: "image", side: "output" } as const;
    const type = typeAt(DOCUMENT, "", start, DEFINITIONS);
    expect(fittingPort(ports("blur"), start, type)).toBe("image");
    expect(fittingPort(ports("gather"), start, type)).toBe("images");
    expect(fittingPort(ports("load"), start, type)).toBeUndefined();
  });

  it("is an output that the waiting input takes", () => {
    const start = { node: "blur", port: "radius", side: "input" } as const;
    const type = typeAt(DOCUMENT, "", start, DEFINITIONS);
    expect(fittingPort(ports("load"), start, type)).toBe("size");
    expect(fittingPort(ports("blur"), start, type)).toBeUndefined();
  });
});
