// The wires of a graph: what flows where, what types that has, and why a wire may not be drawn.
import type { InputDefinition, PortType } from "../api/types";
import { type Document, type Graph, type GraphName, graphOf, literalOf, parsePlace, wiresOf } from "./document";
import { type Definitions, type Ports, portsOf } from "./ports";
import { type Bindings, ANY, describe, listType, substitute, whyNot } from "./portTypes";

export interface End {
  readonly node: string;
  readonly port: string;
}

export interface Link {
  readonly from: End;
  readonly to: End;
  /** Which of the wires into that input it is. */
  readonly index: number;
}

export function linksOf(graph: Graph): Link[] {
  const found: Link[] = [];
  for (const [node, entry] of Object.entries(graph.nodes ?? {})) {
    for (const [port, source] of Object.entries(entry.inputs ?? {})) {
      wiresOf(source).forEach((wire, index) => found.push({ from: parsePlace(wire.from), to: { node, port }, index }));
    }
  }
  return found;
}

/** The nodes that a node needs, directly or not. */
export function ancestors(graph: Graph, name: string): Set<string> {
  const found = new Set<string>();
  const waiting = [name];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const source of Object.values(graph.nodes?.[next]?.inputs ?? {})) {
      for (const wire of wiresOf(source)) {
        const { node } = parsePlace(wire.from);
        if (!found.has(node)) {
          found.add(node);
          waiting.push(node);
        }
      }
    }
  }
  return found;
}

/** The type of an output, with what its node's wires say about type variables. */
export function outputType(
  document: Document,
  name: GraphName,
  end: End,
  definitions: Definitions,
  seen: ReadonlySet<string> = new Set(),
): PortType {
  const graph = graphOf(document, name);
  const entry = graph.nodes?.[end.node];
  const ports = entry && portsOf(document, entry, definitions);
  const output = ports?.outputs.find((each) => each.name === end.port);
  if (!entry || !ports || !output || seen.has(end.node)) return ANY;
  const bindings = bindingsOf(document, name, end.node, ports, definitions, new Set([...seen, end.node]));
  return substitute(output.type, bindings);
}

/** What a node's inputs, but one, say about its type variables. */
export function bindingsOf(
  document: Document,
  name: GraphName,
  node: string,
  ports: Ports,
  definitions: Definitions,
  seen: ReadonlySet<string>,
  without?: string,
): Bindings {
  const bindings: Bindings = new Map();
  const inputs = graphOf(document, name).nodes?.[node]?.inputs ?? {};
  for (const input of ports.inputs) {
    if (input.name === without) continue;
    const source = inputs[input.name];
    const literal = literalOf(source);
    if (literal !== undefined) whyNot(typeOfLiteral(literal), input.type, bindings);
    const isList = Array.isArray(source);
    const target = isList ? (listType(input.type)?.item ?? input.type) : input.type;
    for (const wire of wiresOf(source)) {
      whyNot(outputType(document, name, parsePlace(wire.from), definitions, seen), target, bindings);
    }
  }
  return bindings;
}

function typeOfLiteral(value: unknown): PortType {
  if (value === null) return { kind: "none" };
  if (typeof value === "boolean") return { kind: "bool" };
  if (typeof value === "string") return { kind: "str" };
  if (typeof value === "number") return { kind: Number.isInteger(value) ? "int" : "float" };
  if (Array.isArray(value)) {
    const items = value.map(typeOfLiteral);
    return { kind: "list", item: items[0] ?? ANY };
  }
  return ANY;
}

/**
 * How a wire would be written into an input: `alone` in its place, or as one `item` of a list; or why it may not be
 * drawn.
 */
export type Fit = { readonly how: "alone" | "item" } | { readonly reason: string };

export function fit(document: Document, name: GraphName, from: End, to: End, definitions: Definitions): Fit {
  const graph = graphOf(document, name);
  const entry = graph.nodes?.[to.node];
  const ports = entry && portsOf(document, entry, definitions);
  const input = ports?.inputs.find((each) => each.name === to.port);
  if (!entry || !ports || !input) return { reason: `${to.node} has no input ${to.port}` };
  if (from.node === to.node) return { reason: "a node cannot need its own result" };
  if (ancestors(graph, from.node).has(to.node)) {
    return { reason: `wires may not run in a circle: ${from.node} needs ${to.node} already` };
  }
  const given = outputType(document, name, from, definitions);
  return fitType(given, input, bindingsOf(document, name, to.node, ports, definitions, new Set([to.node]), to.port));
}

/** How a value of a type would be written into an input, or why it may not. */
export function fitType(given: PortType, input: InputDefinition, bindings: Bindings): Fit {
  const reason = whyNot(given, input.type, new Map(bindings));
  if (reason === null) return { how: "alone" };
  const list = listType(input.type);
  if (list && whyNot(given, list.item, new Map(bindings)) === null) return { how: "item" };
  return { reason: `${describe(given)} does not fit ${input.name}: ${reason}` };
}
