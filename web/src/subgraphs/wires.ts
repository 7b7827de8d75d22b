// Wires that end at declared inputs and outputs, and wires over the borders of regions.
import { type Document, type GraphName, graphOf, parsePlace, place, withGraph } from "../graph/document";
import { connect } from "../graph/edits";
import { changeGraph, declareInput, declareOutput } from "../graph/interface";
import { type Definitions, portsOf } from "../graph/ports";
import { describe, whyNot } from "../graph/portTypes";
import { type End, type Fit, fit } from "../graph/wiring";
import { INPUTS, NEW, OUTPUTS, declaredPorts } from "./ends";
import { locate, regionOf, within } from "./paths";

/** An end of a wire on the canvas: a node by its id there, and the socket. */
export interface CanvasEnd {
  readonly id: string;
  readonly socket: string;
}

/** Sockets at the inner sides of a region are called so. */
const INNER = { [INPUTS]: "@in:", [OUTPUTS]: "@out:" } as const;

export function innerSocket(side: typeof INPUTS | typeof OUTPUTS, port: string): string {
  return INNER[side] + port;
}

/** The same end, as if the region that it is at the inside of were entered. */
function unfolded({ id, socket }: CanvasEnd): CanvasEnd {
  for (const side of [INPUTS, OUTPUTS] as const) {
    if (socket.startsWith(INNER[side])) return { id: `${id}/${side}`, socket: socket.slice(INNER[side].length) };
  }
  return { id, socket };
}

interface Wire {
  readonly from: CanvasEnd;
  readonly to: CanvasEnd;
}

function ends(wire: Wire): Wire & { readonly isPlain: boolean; readonly isNear: boolean } {
  const [from, to] = [unfolded(wire.from), unfolded(wire.to)];
  const isNear = regionOf(from.id) === regionOf(to.id);
  const isPlain = isNear && ![from, to].some((each) => each.id.includes("@"));
  return { from, to, isNear, isPlain };
}

/** Whether a wire is none between two nodes of one graph, so that the functions here are for it. */
export function isSpecial(wire: Wire): boolean {
  return !ends(wire).isPlain;
}

/** Whether such a wire may be drawn. */
export function judgeSpecial(document: Document, shown: GraphName, wire: Wire, definitions: Definitions): Fit {
  const { from, to, isNear } = ends(wire);
  const [a, b] = [locate(document, shown, from.id), locate(document, shown, to.id)];
  if (!a || !b) return { reason: "there is nothing to draw a wire to" };
  if (a.node === INPUTS && b.node === OUTPUTS) return { reason: "put a node between an input and an output" };
  if (a.node === INPUTS && isNear)
    return fitInput(document, a.graph, from.socket, { node: b.node, port: to.socket }, definitions);
  if (b.node === OUTPUTS && isNear) return { how: "alone" };
  if (a.node.startsWith("@") || b.node.startsWith("@")) return { reason: "that lies in another graph" };
  const [outer, inner] = [regionOf(from.id), regionOf(to.id)];
  const common = commonRegion(outer, inner);
  const near = (end: CanvasEnd) => end.id.slice(common ? common.length + 1 : 0).split("/")[0] ?? "";
  if (near(from) === near(to)) return { reason: "a node cannot need its own result" };
  const graph = locate(document, shown, within(common, ""))?.graph ?? shown;
  return fitAcross(document, graph, near(from), near(to));
}

function fitAcross(document: Document, graph: GraphName, from: string, to: string): Fit {
  const nodes = graphOf(document, graph).nodes ?? {};
  const waiting = [from];
  const seen = new Set<string>();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next === to) return { reason: `wires may not run in a circle: ${from} needs ${to} already` };
    if (seen.has(next)) continue;
    seen.add(next);
    for (const source of Object.values(nodes[next]?.inputs ?? {})) {
      const all = Array.isArray(source) ? source : [source];
      for (const each of all) {
        if (each && typeof each === "object" && "from" in each) waiting.push(parsePlace(String(each.from)).node);
      }
    }
  }
  return { how: "alone" };
}

function fitInput(document: Document, graph: GraphName, name: string, to: End, definitions: Definitions): Fit {
  const entry = graphOf(document, graph).nodes?.[to.node];
  const input = entry && portsOf(document, entry, definitions)?.inputs.find((each) => each.name === to.port);
  if (!input) return { reason: `${to.node} has no input ${to.port}` };
  const known = declaredPorts(document, graph, INPUTS, definitions).find((each) => each.name === name);
  if (!known || whyNot(known.type, input.type) === null || whyNot(input.type, known.type) === null)
    return { how: "alone" };
  return { reason: `${name} is ${describe(known.type)}, and ${to.port} is ${describe(input.type)}` };
}

/** The document with such a wire; what it crosses gets declared inputs and outputs. */
export function drawSpecial(document: Document, shown: GraphName, wire: Wire, definitions: Definitions): Document {
  const { from, to } = ends(wire);
  const [a, b] = [locate(document, shown, from.id), locate(document, shown, to.id)];
  if (!a || !b) return document;
  if (a.node === INPUTS) {
    const at = place(b.node, to.socket);
    const known = from.socket === NEW ? undefined : from.socket;
    return changeGraph(document, a.graph, (graph) => declareInput(graph, at, known));
  }
  if (b.node === OUTPUTS) {
    const known = to.socket === NEW ? undefined : to.socket;
    return changeGraph(document, a.graph, (graph) => declareOutput(graph, place(a.node, from.socket), known));
  }
  return across(document, shown, from, to, definitions);
}

function across(
  document: Document,
  shown: GraphName,
  from: CanvasEnd,
  to: CanvasEnd,
  definitions: Definitions,
): Document {
  const common = commonRegion(regionOf(from.id), regionOf(to.id));
  let left = document;
  let source = from;
  while (regionOf(source.id) !== common) {
    const here = locate(left, shown, source.id);
    if (!here) return document;
    const at = place(here.node, source.socket);
    left = changeGraph(left, here.graph, (graph) => declareOutput(graph, at));
    const [name] = Object.entries(graphOf(left, here.graph).outputs ?? {}).find(([, each]) => each.from === at) ?? [""];
    source = { id: regionOf(source.id), socket: name };
  }
  let target = to;
  while (regionOf(target.id) !== common) {
    const here = locate(left, shown, target.id);
    if (!here) return document;
    const at = place(here.node, target.socket);
    left = changeGraph(left, here.graph, (graph) => declareInput(graph, at));
    const [name] = Object.entries(graphOf(left, here.graph).inputs ?? {}).find(([, each]) => each.to.includes(at)) ?? [
      "",
    ];
    target = { id: regionOf(target.id), socket: name };
  }
  const [a, b] = [locate(left, shown, source.id), locate(left, shown, target.id)];
  if (!a || !b) return document;
  const [start, end] = [
    { node: a.node, port: source.socket },
    { node: b.node, port: target.socket },
  ];
  const found = fit(left, a.graph, start, end, definitions);
  return withGraph(left, a.graph, (graph) => connect(graph, start, end, "how" in found ? found.how : "alone"));
}

function commonRegion(a: string, b: string): string {
  const [one, two] = [a ? a.split("/") : [], b ? b.split("/") : []];
  let length = 0;
  while (length < one.length && one[length] === two[length]) length += 1;
  return one.slice(0, length).join("/");
}
