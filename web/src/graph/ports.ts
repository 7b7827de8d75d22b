// What inputs and outputs the nodes of a document have; those that run a graph of the file have the graph's.
import type { InputDefinition, NodeDefinition, OutputDefinition, PortType } from "../api/types";
import { type Document, type Graph, type NodeEntry, literalOf, parsePlace } from "./document";
import { ANY } from "./portTypes";

export type Definitions = ReadonlyMap<string, NodeDefinition>;

export const CALLS: ReadonlySet<string> = new Set(["graph", "for_each", "repeat"]);

export interface Ports {
  readonly title: string;
  readonly category: string;
  readonly doc: string;
  readonly inputs: readonly InputDefinition[];
  readonly outputs: readonly OutputDefinition[];
  readonly effect: boolean;
}

const TIMES: InputDefinition = {
  name: "times",
  type: { kind: "union", members: [{ kind: "int", limits: { ge: 0 } }, { kind: "none" }] },
  required: false,
  default: null,
  widget: null,
  lazy: "",
  doc: "how many rounds; may be left out where an output ends the loop",
};

const LIMIT: InputDefinition = {
  name: "limit",
  type: { kind: "int", limits: { ge: 1 } },
  required: false,
  default: 1000,
  widget: null,
  lazy: "",
  doc: "rounds after which a loop that `until` should end is an error",
};

/** The inputs and outputs of a node; undefined where its type or its graph is not there. */
export function portsOf(document: Document, entry: NodeEntry, definitions: Definitions): Ports | undefined {
  if (!CALLS.has(entry.type)) return definitions.get(entry.type);
  const inner = document.graphs?.[entry.graph ?? ""];
  return inner && callPorts(document, entry, inner, definitions, new Set([entry.graph ?? ""]));
}

function callPorts(
  document: Document,
  entry: NodeEntry,
  graph: Graph,
  definitions: Definitions,
  inside: ReadonlySet<string>,
): Ports {
  const of = (name: string): Ports | undefined => {
    const node = graph.nodes?.[name];
    if (!node || !CALLS.has(node.type)) return node && definitions.get(node.type);
    const next = node.graph ?? "";
    const inner = document.graphs?.[next];
    if (!inner || inside.has(next)) return undefined;
    return callPorts(document, node, inner, definitions, new Set([...inside, next]));
  };
  const declared = Object.entries(graph.inputs ?? {}).map(([name, { to, help }]): InputDefinition => {
    const { node, port } = parsePlace(to[0] ?? "");
    const input = of(node)?.inputs.find((each) => each.name === port);
    if (!input) return { ...LIMIT, name, type: ANY, default: null, doc: help ?? "" };
    const held = literalOf(graph.nodes?.[node]?.inputs?.[port]);
    return {
      ...input,
      name,
      lazy: "",
      doc: help || input.doc,
      default: held === undefined ? input.default : held,
      required: input.required && held === undefined,
    };
  });
  const inputs = declared
    .filter((each) => entry.type === "graph" || each.name !== entry.index)
    .map((each) => (entry.type === "for_each" && entry.each?.includes(each.name) ? listed(each) : each));
  if (entry.type === "repeat") inputs.push(TIMES, LIMIT);
  const outputs = Object.entries(graph.outputs ?? {}).map(([name, { from }]): OutputDefinition => {
    const { node, port } = parsePlace(from);
    const inner = of(node)?.outputs.find((each) => each.name === port)?.type ?? ANY;
    const isList = entry.type === "for_each" || (entry.type === "repeat" && entry.collect?.includes(name));
    const type: PortType = isList ? { kind: "list", item: inner } : inner;
    return { name, type, may_block: true, doc: "" };
  });
  return {
    title: graph.title || entry.graph || entry.type,
    category: "control",
    doc: "",
    inputs,
    outputs,
    effect: false,
  };
}

function listed(input: InputDefinition): InputDefinition {
  return { ...input, type: { kind: "list", item: input.type }, required: true, default: null };
}
