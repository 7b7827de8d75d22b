// Nodes that run a graph round by round: made from a selection, and what they go through, carry, gather and end by.
import type { InputDefinition } from "../api/types";
import { mapWires } from "./border";
import {
  type Document,
  type GraphName,
  type NodeEntry,
  type Source,
  graphOf,
  isWire,
  literalOf,
  parsePlace,
  place,
  withGraph,
  wiresOf,
} from "./document";
import { addNode, changeNode, freeName, removeNodes, setSource, tidy, undeclare } from "./edits";
import { changeGraph, declareInput, declareOutput, renamePort } from "./interface";
import { closed } from "./moving";
import { type Definitions, type Ports, portsOf } from "./ports";
import { describe, listType, whyNot } from "./portTypes";
import { type Made, makeSubgraph } from "./subgraphs";
import { fit, linksOf, outputType } from "./wiring";

export type CallKind = "graph" | "for_each" | "repeat";

/** The node of a loop: where it is. */
export interface At {
  readonly graph: GraphName;
  readonly node: string;
}

const ROUNDS = 4;

/** The inputs of a selection that a loop could go through: each `node.input`, those with values or wires from outside. */
export function choicesOf(
  document: Document,
  graph: GraphName,
  names: ReadonlySet<string>,
  definitions: Definitions,
): string[] {
  const { nodes = {} } = graphOf(document, graph);
  const all = closed(graphOf(document, graph), names);
  return [...all].flatMap((node) => {
    const entry = nodes[node];
    const ports = entry && portsOf(document, entry, definitions);
    return (ports?.inputs ?? [])
      .filter(({ name, lazy }) => {
        const wires = wiresOf(entry?.inputs?.[name]);
        return !lazy && wires.every((wire) => !all.has(parsePlace(wire.from).node));
      })
      .map(({ name }) => place(node, name));
  });
}

/** Make nodes into a loop that goes through lists for these inputs, each `node.input`. */
export function makeForEach(
  document: Document,
  graph: GraphName,
  names: ReadonlySet<string>,
  each: readonly string[],
  definitions: Definitions,
): Made {
  const made = makeSubgraph(document, graph, names, definitions, "for_each");
  const at = { graph, node: made.node };
  let left = withKind(made.document, at, "for_each", definitions);
  for (const wanted of each) {
    const inner = graphOf(left, made.graph);
    const known = Object.entries(inner.inputs ?? {}).find(([, { to }]) => to.includes(wanted))?.[0];
    const name = known ?? parsePlace(wanted).port;
    if (!known) left = changeGraph(left, made.graph, (old) => declareInput(old, wanted));
    const declared =
      known ?? Object.entries(graphOf(left, made.graph).inputs ?? {}).find(([, d]) => d.to.includes(wanted))?.[0];
    left = withEach(left, at, declared ?? name, true, definitions);
  }
  return { ...made, document: left };
}

/** Make nodes into a loop of some rounds; what goes in and comes out again in one type is carried. */
export function makeRepeat(
  document: Document,
  graph: GraphName,
  names: ReadonlySet<string>,
  definitions: Definitions,
): Made {
  const made = makeSubgraph(document, graph, names, definitions, "repeat");
  const at = { graph, node: made.node };
  let left = withKind(made.document, at, "repeat", definitions);
  const ports = portsAt(left, at, definitions);
  const wired = (ports?.inputs ?? []).filter(({ name }) => wiresOf(entryAt(left, at)?.inputs?.[name]).length > 0);
  for (const input of wired) {
    const alike = ports?.outputs.filter((each) => describe(each.type) === describe(input.type)) ?? [];
    const rivals = wired.filter((each) => describe(each.type) === describe(input.type));
    const [only] = alike;
    if (only && alike.length === 1 && rivals.length === 1) left = withCarry(left, at, input.name, only.name);
  }
  return { ...made, document: left };
}

/** Let a node run its graph once, for every item of lists, or again and again. */
export function withKind(document: Document, at: At, kind: CallKind, definitions: Definitions): Document {
  let left = document;
  if (kind === "repeat") {
    const inner = entryAt(left, at)?.graph ?? "";
    for (const own of ["times", "limit"]) {
      if (own in (graphOf(left, inner).inputs ?? {})) left = renamePort(left, inner, "inputs", own, `${own}_2`);
    }
  }
  const changed = withEntry(left, at, ({ each, carry, collect, until, index, ...entry }) => {
    const { times, limit, ...inputs } = entry.inputs ?? {};
    if (kind === "graph" || entry.type === kind)
      return entry.type === kind
        ? { ...entry, ...tidyOptions({ each, carry, collect, until, index }) }
        : { ...entry, type: kind, inputs };
    const isRepeat = kind === "repeat";
    return tidy<NodeEntry>({
      ...entry,
      type: kind,
      index,
      inputs: isRepeat ? { ...inputs, times: times ?? ROUNDS, ...(limit !== undefined && { limit }) } : inputs,
      each: isRepeat ? undefined : (each ?? []),
    });
  });
  return settled(changed, at, definitions);
}

function tidyOptions(options: Partial<NodeEntry>): Partial<NodeEntry> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Whether an input gets one item of a list in every round; what stands there becomes a list, or its first item. */
export function withEach(
  document: Document,
  at: At,
  input: string,
  isEach: boolean,
  definitions: Definitions,
): Document {
  const before = portsAt(document, at, definitions)?.inputs.find((port) => port.name === input);
  const source = entryAt(document, at)?.inputs?.[input];
  const changed = withEntry(document, at, (entry) => {
    const others = (entry.each ?? []).filter((name) => name !== input);
    const index = entry.index === input ? undefined : entry.index;
    return tidy<NodeEntry>({ ...entry, each: isEach ? [...others, input] : others, index });
  });
  const next = isEach ? asList(changed, at, input, source, before, definitions) : asItem(source);
  const left = withGraph(changed, at.graph, (graph) => setSource(graph, { node: at.node, port: input }, next));
  return settled(left, at, definitions);
}

function asList(
  document: Document,
  at: At,
  input: string,
  source: Source | undefined,
  before: InputDefinition | undefined,
  definitions: Definitions,
): Source | undefined {
  const isDeclared = Object.values(graphOf(document, at.graph).inputs ?? {}).some((each) =>
    each.to.includes(place(at.node, input)),
  );
  if (source === undefined) return before?.required || isDeclared ? undefined : [before?.default ?? null];
  if (!isWire(source))
    return Array.isArray(source) && wiresOf(source).length > 0 ? source : [literalOf(source) ?? null];
  const type = portsAt(document, at, definitions)?.inputs.find((port) => port.name === input)?.type;
  const given = outputType(document, at.graph, parsePlace(source.from), definitions);
  return type && whyNot(given, type) === null ? source : [source];
}

function asItem(source: Source | undefined): Source | undefined {
  return Array.isArray(source) ? (source as readonly Source[])[0] : undefined;
}

/** What an output gives in a round goes into an input in the next one; without an output, no more. */
export function withCarry(document: Document, at: At, input: string, output: string | undefined): Document {
  const graph = entryAt(document, at)?.graph ?? "";
  const others = (entryAt(document, at)?.carry ?? []).filter((name) => name !== input);
  if (output === undefined) return withEntry(document, at, (entry) => ({ ...entry, carry: others }));
  let left = withEntry(document, at, (entry) => ({ ...entry, carry: others }));
  const { outputs = {} } = graphOf(left, graph);
  const isOther = output !== input && input in outputs;
  if (isOther) left = renamePort(left, graph, "outputs", input, `${input}_2`);
  if (output !== input) left = renamePort(left, graph, "outputs", output, input);
  return withEntry(left, at, (entry) =>
    tidy<NodeEntry>({
      ...entry,
      carry: [...others, input],
      collect: entry.collect?.filter((name) => name !== input),
      index: entry.index === input ? undefined : entry.index,
    }),
  );
}

/** Whether an output is a list with what every round gave. What is carried as well is given under a second name. */
export function withCollect(
  document: Document,
  at: At,
  output: string,
  isCollected: boolean,
  definitions: Definitions,
): Document {
  const entry = entryAt(document, at);
  const others = (entry?.collect ?? []).filter((name) => name !== output);
  if (!isCollected)
    return settled(
      withEntry(document, at, (old) => ({ ...old, collect: others })),
      at,
      definitions,
    );
  if (!entry?.carry?.includes(output)) {
    return settled(
      withEntry(document, at, (old) => ({ ...old, collect: [...others, output] })),
      at,
      definitions,
    );
  }
  const graph = entry.graph ?? "";
  const { outputs = {} } = graphOf(document, graph);
  const name = freeName(outputs, `each_${output}`);
  const left = changeGraph(document, graph, (old) => declareOutput(old, outputs[output]?.from ?? "", name));
  return withEntry(left, at, (old) => ({ ...old, collect: [...others, name] }));
}

export function withUntil(document: Document, at: At, output: string | undefined): Document {
  return withEntry(document, at, (entry) => tidy<NodeEntry>({ ...entry, until: output }));
}

/** The input that gets the number of the round. */
export function withIndex(document: Document, at: At, input: string | undefined): Document {
  const change = (entry: NodeEntry) => {
    const isOther = (name: string) => name !== input;
    return tidy<NodeEntry>({
      ...entry,
      index: input,
      each: entry.each?.filter(isOther),
      carry: entry.carry?.filter(isOther),
    });
  };
  const left = withEntry(document, at, change);
  if (input === undefined) return left;
  const end = { node: at.node, port: input };
  return withGraph(left, at.graph, (graph) => undeclare(setSource(graph, end, undefined), end));
}

/** What a loop still lacks, in words. */
export function loopProblem(document: Document, entry: NodeEntry): string | null {
  const graph = document.graphs?.[entry.graph ?? ""];
  if (entry.type === "for_each" && (entry.each ?? []).length === 0) {
    return Object.keys(graph?.inputs ?? {}).length > 0
      ? "Choose the inputs that it goes through."
      : "Expose an input of its nodes, then choose what it goes through.";
  }
  if (entry.type === "repeat" && !entry.until && (entry.inputs?.["times"] ?? null) === null) {
    return "Say how many rounds it makes, or which output ends it.";
  }
  return null;
}

/** In a few words, what a node that runs a graph does. */
export function describeCall(entry: NodeEntry): string {
  if (entry.type === "for_each") {
    const { each = [] } = entry;
    return each.length > 0 ? `for each item of ${each.join(" and ")}` : "for each item";
  }
  if (entry.type !== "repeat") return "";
  if (entry.until) return `repeat until ${entry.until}`;
  const times = literalOf(entry.inputs?.["times"]);
  return typeof times === "number" ? `repeat ${times} ${times === 1 ? "time" : "times"}` : "repeat";
}

/**
 * Outputs of a loop that turned into lists, or back: a wire that no longer fits takes the first item, by a node that
 * goes again when it is not needed.
 */
function settled(document: Document, at: At, definitions: Definitions): Document {
  if (!definitions.has("item")) return document;
  let left = document;
  for (const { from, to, index } of linksOf(graphOf(document, at.graph))) {
    if (from.node !== at.node) continue;
    const graph = graphOf(left, at.graph);
    const entry = graph.nodes?.[to.node];
    const source = entry?.inputs?.[to.port];
    const isItem = Array.isArray(source);
    const cut = withGraph(left, at.graph, (each) => setSource(each, to, isItem ? [] : undefined));
    const found = fit(cut, at.graph, from, to, definitions);
    const fits = "how" in found && (isItem || found.how === "alone");
    if (entry?.type === "item" && to.port === "items" && !fits) left = withoutItem(left, at.graph, to.node, from);
    else if (!fits) left = withItem(left, at.graph, from, to, index, definitions);
  }
  return left;
}

function withItem(
  document: Document,
  name: GraphName,
  from: { readonly node: string; readonly port: string },
  to: { readonly node: string; readonly port: string },
  index: number,
  definitions: Definitions,
): Document {
  const type = outputType(document, name, from, definitions);
  if (!listType(type)) return document;
  return withGraph(document, name, (graph) => {
    const node = freeName(graph.nodes ?? {}, "item");
    const at = graph.layout?.nodes?.[to.node] ?? { x: 0, y: 0 };
    const entry = { type: "item", inputs: { items: { from: place(from.node, from.port) } } };
    const added = addNode(graph, node, entry, { x: at.x - 300, y: at.y - 80 });
    const source = graph.nodes?.[to.node]?.inputs?.[to.port];
    let seen = -1;
    const next = (each: string) => (++seen === index ? place(node, "result") : each);
    return source === undefined ? graph : setSource(added, to, mapWires(source, next));
  });
}

/** Without a node that took the first item, where there is but one now. */
function withoutItem(
  document: Document,
  name: GraphName,
  node: string,
  from: { readonly node: string; readonly port: string },
): Document {
  const entry = graphOf(document, name).nodes?.[node];
  if (entry?.title || Object.keys(entry?.inputs ?? {}).length > 1) return document;
  const at = (each: string) => (parsePlace(each).node === node ? place(from.node, from.port) : each);
  return withGraph(document, name, (graph) => {
    const { nodes = {}, outputs = {} } = graph;
    const rewire = (each: NodeEntry) =>
      each.inputs ? { ...each, inputs: mapValues(each.inputs, (source) => mapWires(source, at)) } : each;
    const left = {
      ...graph,
      nodes: mapValues(nodes, rewire),
      outputs: mapValues(outputs, (o) => ({ ...o, from: at(o.from) })),
    };
    return removeNodes(left, new Set([node]));
  });
}

function mapValues<T>(table: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, change(value)]));
}

function entryAt(document: Document, at: At): NodeEntry | undefined {
  return graphOf(document, at.graph).nodes?.[at.node];
}

function portsAt(document: Document, at: At, definitions: Definitions): Ports | undefined {
  const entry = entryAt(document, at);
  return entry && portsOf(document, entry, definitions);
}

function withEntry(document: Document, at: At, change: (entry: NodeEntry) => NodeEntry): Document {
  return withGraph(document, at.graph, (graph) => changeNode(graph, at.node, change));
}
