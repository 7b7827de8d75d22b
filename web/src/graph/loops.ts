// A selection made into a loop, and loops in words.
import {
  type Document,
  type GraphName,
  type NodeEntry,
  graphOf,
  literalOf,
  parsePlace,
  place,
  wiresOf,
} from "./document";
import { changeGraph, declareInput } from "./interface";
import { entryAt, portsAt, withCarry, withEach, withKind } from "./loopOptions";
import { closed } from "./moving";
import { type Definitions, portsOf } from "./ports";
import { describe } from "./portTypes";
import { type Made, makeSubgraph } from "./subgraphs";

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
    const known = () =>
      Object.entries(graphOf(left, made.graph).inputs ?? {}).find(([, { to }]) => to.includes(wanted))?.[0];
    if (known() === undefined) left = changeGraph(left, made.graph, (old) => declareInput(old, wanted));
    left = withEach(left, at, known() ?? "", true, definitions);
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
