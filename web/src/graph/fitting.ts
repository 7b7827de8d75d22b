// Which sockets a wire fits that is being drawn, for a whole graph at once.
import type { PortType } from "../api/types";
import { type Document, type GraphName, graphOf, place } from "./document";
import { type Definitions, type Ports, portsOf } from "./ports";
import { type Bindings, ANY, hasVariable, substitute } from "./portTypes";
import { type End, ancestors, bindingsOf, fitType, linksOf, outputType } from "./wiring";

/** The end of a wire that stays where it is while the other is drawn. */
export interface Start extends End {
  readonly side: "input" | "output";
}

const NONE: Bindings = new Map();

/** Every place, written node.port, at which the other end of a wire may be put. */
export function fittingPlaces(
  document: Document,
  name: GraphName,
  start: Start,
  definitions: Definitions,
): ReadonlySet<string> {
  return start.side === "output"
    ? inputsFor(document, name, start, definitions)
    : outputsFor(document, name, start, definitions);
}

function inputsFor(document: Document, name: GraphName, from: End, definitions: Definitions): Set<string> {
  const graph = graphOf(document, name);
  const before = ancestors(graph, from.node).add(from.node);
  const given = outputType(document, name, from, definitions);
  const found = new Set<string>();
  for (const [node, entry] of Object.entries(graph.nodes ?? {})) {
    const ports = before.has(node) ? undefined : portsOf(document, entry, definitions);
    for (const input of ports?.inputs ?? []) {
      const bindings =
        ports && hasVariable(input.type)
          ? bindingsOf(document, name, node, ports, definitions, new Set([node]), input.name)
          : NONE;
      if ("how" in fitType(given, input, bindings)) found.add(place(node, input.name));
    }
  }
  return found;
}

function outputsFor(document: Document, name: GraphName, to: End, definitions: Definitions): Set<string> {
  const graph = graphOf(document, name);
  const entry = graph.nodes?.[to.node];
  const target = entry && portsOf(document, entry, definitions);
  const input = target?.inputs.find((each) => each.name === to.port);
  const found = new Set<string>();
  if (!target || !input) return found;
  const bindings = bindingsOf(document, name, to.node, target, definitions, new Set([to.node]), to.port);
  const behind = descendants(document, name, to.node).add(to.node);
  for (const [node, each] of Object.entries(graph.nodes ?? {})) {
    const ports = behind.has(node) ? undefined : portsOf(document, each, definitions);
    for (const output of ports?.outputs ?? []) {
      const given = hasVariable(output.type)
        ? outputType(document, name, { node, port: output.name }, definitions)
        : output.type;
      if ("how" in fitType(given, input, bindings)) found.add(place(node, output.name));
    }
  }
  return found;
}

/** The nodes that need a node, directly or not. */
function descendants(document: Document, name: GraphName, node: string): Set<string> {
  const links = linksOf(graphOf(document, name));
  const next = new Map<string, string[]>();
  for (const { from, to } of links) next.set(from.node, [...(next.get(from.node) ?? []), to.node]);
  const found = new Set<string>();
  const waiting = [node];
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    for (const to of next.get(each) ?? []) {
      if (!found.has(to)) {
        found.add(to);
        waiting.push(to);
      }
    }
  }
  return found;
}

/** The type at the end of a wire that stays: what an output gives or an input takes. */
export function typeAt(document: Document, name: GraphName, start: Start, definitions: Definitions): PortType {
  if (start.side === "output") return outputType(document, name, start, definitions);
  const entry = graphOf(document, name).nodes?.[start.node];
  const ports = entry && portsOf(document, entry, definitions);
  return ports?.inputs.find((each) => each.name === start.port)?.type ?? ANY;
}

/** The port of a new node at which a wire would end; sockets without a widget first, for they wait for one. */
export function fittingPort(ports: Ports, start: Start, type: PortType): string | undefined {
  if (start.side === "output") {
    const fits = ports.inputs.filter((input) => "how" in fitType(type, input, NONE));
    return (fits.find((each) => each.required) ?? fits[0])?.name;
  }
  const input = { name: start.port, type, required: true, default: null, widget: null, lazy: "", doc: "" } as const;
  return ports.outputs.find((output) => "how" in fitType(substitute(output.type, NONE), input, NONE))?.name;
}
