// What a node that runs a graph round by round goes through, carries, gathers and ends by.
import type { InputDefinition } from "../api/types";
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
import { omitted } from "./border";
import { changeNode, freeName, setSource, tidy, undeclare } from "./edits";
import { changeGraph, declareOutput, renamePort } from "./interface";
import { settled } from "./listed";
import { type Definitions, type Ports, portsOf } from "./ports";
import { whyNot } from "./portTypes";
import { outputType } from "./wiring";

export type CallKind = "graph" | "for_each" | "repeat";

/** Where a node that runs a graph is. */
export interface At {
  readonly graph: GraphName;
  readonly node: string;
}

const ROUNDS = 4;

/** Let a node run its graph once, for every item of lists, or again and again. */
export function withKind(document: Document, at: At, kind: CallKind, definitions: Definitions): Document {
  let left = document;
  if (kind === "repeat") {
    const inner = entryAt(left, at)?.graph ?? "";
    for (const own of ["times", "limit"]) {
      if (own in (graphOf(left, inner).inputs ?? {})) left = renamePort(left, inner, "inputs", own, `${own}_2`);
    }
  }
  const changed = withEntry(left, at, (entry) => {
    if (entry.type === kind) return entry;
    const inputs = omitted(entry.inputs, "times", "limit");
    const times = entry.inputs?.["times"];
    const plain: NodeEntry = tidy<NodeEntry>({
      ...entry,
      type: kind,
      inputs,
      each: undefined,
      carry: undefined,
      collect: undefined,
      until: undefined,
      index: kind === "graph" ? undefined : entry.index,
    });
    if (kind === "for_each") return { ...plain, each: [] };
    return kind === "repeat" ? { ...plain, inputs: { ...inputs, times: times ?? ROUNDS } } : plain;
  });
  return settled(changed, at, definitions);
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

export function entryAt(document: Document, at: At): NodeEntry | undefined {
  return graphOf(document, at.graph).nodes?.[at.node];
}

export function portsAt(document: Document, at: At, definitions: Definitions): Ports | undefined {
  const entry = entryAt(document, at);
  return entry && portsOf(document, entry, definitions);
}

function withEntry(document: Document, at: At, change: (entry: NodeEntry) => NodeEntry): Document {
  return withGraph(document, at.graph, (graph) => changeNode(graph, at.node, change));
}
