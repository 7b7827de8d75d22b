// The wires of a graph: what flows where, what types that has, and why a wire may not be drawn.
import type { InputDefinition, PortType } from "../api/types";
import { type Document, type Graph, type GraphName, graphOf, literalOf, parsePlace, wiresOf } from "./document";
import { CALLS, type Definitions, type Ports, portsOf } from "./ports";
import { type Bindings, ANY, describe, hasVariable, listType, substitute, whyNot } from "./portTypes";

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
  use: Use | undefined = firstUse(document, name),
): PortType {
  const graph = graphOf(document, name);
  const entry = graph.nodes?.[end.node];
  const ports = entry && portsOf(document, entry, definitions);
  const output = ports?.outputs.find((each) => each.name === end.port);
  if (!entry || !ports || !output || seen.has(end.node)) return ANY;
  if (CALLS.has(entry.type))
    return callType(document, end, output.type, { graph: name, node: end.node, use }, definitions);
  const bindings = bindingsOf(
    document,
    name,
    end.node,
    ports,
    definitions,
    new Set([...seen, end.node]),
    undefined,
    use,
  );
  return substitute(output.type, bindings);
}

/** The node that runs a graph, for which the types in that graph are asked; and so on outwards. */
interface Use {
  readonly graph: GraphName;
  readonly node: string;
  readonly use: Use | undefined;
}

/** Graphs in one another that are looked through for a type. */
const DEEPEST = 16;

function firstUse(document: Document, name: GraphName, depth = 0): Use | undefined {
  if (name === "" || depth > DEEPEST) return undefined;
  for (const graph of ["", ...Object.keys(document.graphs ?? {})]) {
    for (const [node, entry] of Object.entries(graphOf(document, graph).nodes ?? {})) {
      if (entry.graph === name && graph !== name) return { graph, node, use: firstUse(document, graph, depth + 1) };
    }
  }
  return undefined;
}

/** The type of an output of a node that runs a graph, for what this node gives the graph. */
function callType(document: Document, end: End, type: PortType, use: Use, definitions: Definitions): PortType {
  let depth = 0;
  for (let each = use.use; each; each = each.use) depth += 1;
  if (!hasVariable(type) || depth > DEEPEST) return substitute(type, new Map());
  const call = graphOf(document, use.graph).nodes?.[use.node];
  const graph = call?.graph ?? "";
  const from = document.graphs?.[graph]?.outputs?.[end.port]?.from ?? "";
  const inner = outputType(document, graph, parsePlace(from), definitions, new Set(), use);
  return call?.type === "for_each" || call?.collect?.includes(end.port) ? { kind: "list", item: inner } : inner;
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
  use: Use | undefined = firstUse(document, name),
): Bindings {
  const bindings: Bindings = new Map();
  const inputs = graphOf(document, name).nodes?.[node]?.inputs ?? {};
  for (const input of ports.inputs) {
    if (input.name === without) continue;
    const source = inputs[input.name];
    const given =
      use && hasVariable(input.type)
        ? givenType(document, name, { node, port: input.name }, use, definitions)
        : undefined;
    if (given) {
      whyNot(given, input.type, bindings);
      continue;
    }
    const literal = literalOf(source);
    if (literal !== undefined) whyNot(typeOfLiteral(literal), input.type, bindings);
    const isList = Array.isArray(source);
    const target = isList ? (listType(input.type)?.item ?? input.type) : input.type;
    for (const wire of wiresOf(source)) {
      whyNot(outputType(document, name, parsePlace(wire.from), definitions, seen, use), target, bindings);
    }
  }
  return bindings;
}

/** The type that comes to an input from outside its graph; undefined where no wire or value does. */
function givenType(document: Document, name: GraphName, { node, port }: End, use: Use, definitions: Definitions) {
  const at = `${node}.${port}`;
  const declared = Object.entries(graphOf(document, name).inputs ?? {}).find(([, { to }]) => to.includes(at))?.[0];
  const call = graphOf(document, use.graph).nodes?.[use.node];
  const source = declared === undefined ? undefined : call?.inputs?.[declared];
  if (source === undefined || declared === undefined) return undefined;
  const [wire] = wiresOf(source);
  const whole = wire
    ? outputType(document, use.graph, parsePlace(wire.from), definitions, new Set([use.node]), use.use)
    : typeOfLiteral(literalOf(source));
  const isItem = call?.each?.includes(declared) && !(wire && Array.isArray(source));
  return isItem ? itemOf(whole) : whole;
}

function itemOf(type: PortType): PortType | undefined {
  return type.kind === "list" ? type.item : undefined;
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
