// The nodes that stand for the declared inputs and outputs of the shown graph, and their wires.
import type { Node } from "@xyflow/react";
import type { PortType } from "../api/types";
import { type Document, type GraphName, type Point, graphOf, parsePlace } from "../graph/document";
import { type Definitions, portsOf } from "../graph/ports";
import { ANY } from "../graph/portTypes";
import { type Link, outputType } from "../graph/wiring";
import { type DeclaredPort, INPUTS, OUTPUTS, declaredPorts } from "./ends";

export interface EndsData extends Record<string, unknown> {
  readonly graph: GraphName;
  readonly name: typeof INPUTS | typeof OUTPUTS;
  readonly declared: readonly DeclaredPort[];
}

export type EndsNode = Node<EndsData, "ends">;

export const ENDS_WIDTH = 200;
const GAP = 120;

interface Placed {
  readonly position: Point;
  readonly width?: number | undefined;
  readonly parentId?: string | undefined;
}

/** Both nodes: always in a graph of the document, in the workflow itself where they were asked for. */
export function endsNodes(
  document: Document,
  graph: GraphName,
  nodes: readonly Placed[],
  definitions: Definitions,
): EndsNode[] {
  const { layout } = graphOf(document, graph);
  return ([INPUTS, OUTPUTS] as const).flatMap((name): EndsNode[] => {
    const kept = layout?.nodes?.[name];
    if (graph === "" && !kept) return [];
    const declared = declaredPorts(document, graph, name, definitions);
    const position = kept ? { x: kept.x, y: kept.y } : besides(nodes, name);
    return [{ id: name, type: "ends", position, width: ENDS_WIDTH, deletable: false, data: { graph, name, declared } }];
  });
}

/** Left of all nodes for the inputs, right of them for the outputs. */
export function besides(nodes: readonly Placed[], name: typeof INPUTS | typeof OUTPUTS): Point {
  const own = nodes.filter((each) => each.parentId === undefined);
  if (own.length === 0) return { x: name === INPUTS ? -ENDS_WIDTH - GAP : GAP, y: 0 };
  const y = Math.min(...own.map((each) => each.position.y));
  if (name === INPUTS) return { x: Math.min(...own.map((each) => each.position.x)) - ENDS_WIDTH - GAP, y };
  return { x: Math.max(...own.map((each) => each.position.x + (each.width ?? 0))) + GAP, y };
}

/** The wires of a graph's declared inputs and outputs, with their types. */
export function portLinks(document: Document, graph: GraphName, definitions: Definitions) {
  const { nodes = {}, inputs = {}, outputs = {} } = graphOf(document, graph);
  const found: { readonly link: Link; readonly type: PortType }[] = [];
  for (const [port, { to }] of Object.entries(inputs)) {
    for (const at of to) {
      const end = parsePlace(at);
      const entry = nodes[end.node];
      const ports = entry && portsOf(document, entry, definitions);
      const type = ports?.inputs.find((each) => each.name === end.port)?.type ?? ANY;
      if (entry) found.push({ link: { from: { node: INPUTS, port }, to: end, index: 0 }, type });
    }
  }
  for (const [port, { from }] of Object.entries(outputs)) {
    const start = parsePlace(from);
    if (!(start.node in nodes)) continue;
    const type = outputType(document, graph, start, definitions);
    found.push({ link: { from: start, to: { node: OUTPUTS, port }, index: 0 }, type });
  }
  return found;
}
