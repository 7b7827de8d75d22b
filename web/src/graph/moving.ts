// Moving nodes into the graph that a node runs: what they are wired to stays so, through declared inputs and outputs.
import { Border, changed, newNames, omitted, rewired, withInput, withInputs } from "./border";
import {
  type Document,
  type Graph,
  type GraphName,
  type NodeEntry,
  type Point,
  parsePlace,
  place,
  wiresOf,
} from "./document";
import { ownGraph } from "./library";
import { movedLayouts } from "./movedLayouts";
import { linksOf } from "./wiring";

/** The nodes with those that lie on a way from one of them to another: they can only move together. */
export function closed(graph: Graph, names: ReadonlySet<string>): Set<string> {
  const links = linksOf(graph);
  const reach = (from: "from" | "to", to: "from" | "to") => {
    const next = new Map<string, string[]>();
    for (const link of links) next.set(link[from].node, [...(next.get(link[from].node) ?? []), link[to].node]);
    const found = new Set(names);
    for (const name of found) next.get(name)?.forEach((each) => found.add(each));
    return found;
  };
  const behind = reach("from", "to");
  return new Set([...reach("to", "from")].filter((name) => behind.has(name)));
}

/** Why nodes cannot move into the graph that a node runs; null when they can. */
export function whyNotInto(graph: Graph, call: string, names: ReadonlySet<string>): string | null {
  const entry = graph.nodes?.[call];
  if (!entry || names.has(call)) return "a node cannot move into itself";
  for (const [name, source] of Object.entries(entry.inputs ?? {})) {
    if (!wiresOf(source).some((wire) => names.has(parsePlace(wire.from).node))) continue;
    if (entry.each?.includes(name)) return `the loop goes through what comes from here: ${name}`;
    if (entry.carry?.includes(name)) return `the loop begins with what comes from here: ${name}`;
    if (entry.type === "repeat" && (name === "times" || name === "limit")) return `the loop needs ${name} from here`;
  }
  return null;
}

/**
 * Move nodes of a graph into the one that the node `call` runs; `shift` is added to their positions. The nodes must be
 * `closed` together with `call`. A graph that other nodes run as well is copied first.
 */
export function moveInto(
  document: Document,
  graph: GraphName,
  call: string,
  names: ReadonlySet<string>,
  shift: Point = { x: 0, y: 0 },
): Document {
  const border = new Border(ownGraph(document, graph, call), graph, call);
  const { outer, inner } = border;
  const given = { ...inner.outputs };
  const renamed = newNames(outer.nodes, names, inner.nodes);
  const here = (from: string) => {
    const { node, port } = parsePlace(from);
    const own = renamed.get(node);
    return own === undefined ? undefined : place(own, port);
  };
  const inside = (from: string) => {
    const { node, port } = parsePlace(from);
    return node === call ? given[port]?.from : here(from);
  };
  const outside = (from: string) => {
    const own = here(from);
    return own === undefined ? from : border.give(own);
  };

  for (const [old, name] of renamed) {
    inner.nodes[name] = outer.nodes[old] as NodeEntry;
  }
  outer.nodes = omitted(outer.nodes, ...names);
  for (const name of renamed.values()) {
    const entry = inner.nodes[name] as NodeEntry;
    inner.nodes[name] = withInputs(entry, (source, port) => border.takeIn(place(name, port), source, inside));
  }
  takeArguments(border, here);
  outer.nodes = rewired(outer.nodes, outside);
  outer.outputs = changed(outer.outputs, (each) => ({ ...each, from: outside(each.from) }));
  declareInside(border, here);
  return border.done(...movedLayouts(outer.graph.layout, inner.graph.layout, renamed, shift));
}

/** What the moved nodes gave to the graph flows inside it now. */
function takeArguments(border: Border, here: (from: string) => string | undefined): void {
  for (const [port, source] of Object.entries(border.entry.inputs ?? {})) {
    if (!wiresOf(source).some((wire) => here(wire.from) !== undefined)) continue;
    const to = border.inner.inputs[port]?.to ?? [];
    border.removeInput(port);
    for (const at of to) {
      const { node, port: target } = parsePlace(at);
      const taken = border.takeIn(at, source, here);
      border.inner.nodes[node] = withInput(border.inner.nodes[node] as NodeEntry, target, taken);
    }
  }
}

/** Declared inputs of the outer graph that went to moved nodes go there through declared inputs of the inner one. */
function declareInside(border: Border, here: (from: string) => string | undefined): void {
  const { outer, inner, call } = border;
  const reasons = new Map<string, string[]>();
  const through = new Map<string, string>();
  for (const [name, { to }] of Object.entries(outer.inputs)) {
    for (const at of to) reasons.set(at, [...(reasons.get(at) ?? []), name]);
  }
  for (const name of Object.keys(inner.inputs)) {
    const from = reasons.get(place(call, name));
    if (from && !border.varies(name)) through.set(JSON.stringify(from), name);
  }
  const own = new Map<string, string>();
  for (const [at, from] of reasons) {
    const to = here(at);
    if (to === undefined) continue;
    const text = JSON.stringify(from);
    const name = border.declare(through.get(text), to, from[0]);
    through.set(text, name);
    own.set(at, place(call, name));
  }
  outer.inputs = changed(outer.inputs, (declared) => ({
    ...declared,
    to: [...new Set(declared.to.map((at) => own.get(at) ?? at))],
  }));
}
