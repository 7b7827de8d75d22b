// Open nodes that run a graph: drawn as large frames with the nodes of the graph inside.
import { type Document, type Graph, type GraphName, type Point, graphOf } from "../graph/document";
import { CALLS } from "../graph/ports";

/** What a region needs around its nodes: room for its inputs, its outputs and its head. */
export const REGION = { left: 250, right: 170, top: 92, bottom: 24, empty: { width: 260, height: 120 } } as const;

interface Placed {
  readonly position: Point;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly initialHeight?: number | undefined;
}

export interface RegionBox {
  readonly width: number;
  readonly height: number;
  /** What is taken from the positions of the graph inside for those in the region. */
  readonly offset: Point;
}

/** The nodes of a graph that are drawn open, by the graphs that they run. */
export function openNodes(document: Document, graph: Graph, inside: ReadonlySet<GraphName>): Map<string, GraphName> {
  const found = new Map<string, GraphName>();
  for (const node of graph.layout?.open ?? []) {
    const entry = graph.nodes?.[node];
    const inner = entry && CALLS.has(entry.type) ? entry.graph : undefined;
    if (inner !== undefined && document.graphs?.[inner] && !inside.has(inner)) found.set(node, inner);
  }
  return found;
}

/** A graph that is drawn: the shown one, or one in a region, whose nodes have `prefix` before their ids. */
export interface Drawn {
  readonly graph: GraphName;
  readonly prefix: string;
}

export function drawnGraphs(document: Document, shown: GraphName, prefix = "", inside = new Set([shown])): Drawn[] {
  const open = openNodes(document, graphOf(document, shown), inside);
  const inner = [...open].flatMap(([node, graph]) =>
    drawnGraphs(document, graph, `${prefix}${node}/`, new Set([...inside, graph])),
  );
  return [{ graph: shown, prefix }, ...inner];
}

/** How large a region is around its nodes. */
export function regionBox(nodes: readonly Placed[]): RegionBox {
  if (nodes.length === 0) {
    const { width, height } = REGION.empty;
    const size = { width: REGION.left + width + REGION.right, height: REGION.top + height + REGION.bottom };
    return { ...size, offset: { x: -REGION.left, y: -REGION.top } };
  }
  const x = Math.min(...nodes.map((each) => each.position.x));
  const y = Math.min(...nodes.map((each) => each.position.y));
  const right = Math.max(...nodes.map((each) => each.position.x + (each.width ?? 0)));
  const bottom = Math.max(...nodes.map((each) => each.position.y + (each.height ?? each.initialHeight ?? 0)));
  return {
    width: right - x + REGION.left + REGION.right,
    height: Math.ceil(bottom - y) + REGION.top + REGION.bottom,
    offset: { x: x - REGION.left, y: y - REGION.top },
  };
}
