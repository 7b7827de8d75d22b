// What the canvas shows of a graph: React Flow's nodes and edges, made from the document.
import type { Edge, Node } from "@xyflow/react";
import type { PortType } from "../api/types";
import { type Document, type GraphName, type NodeEntry, type NodeLayout, graphOf } from "../graph/document";
import { type Definitions, type Ports, portsOf } from "../graph/ports";
import { ANY } from "../graph/portTypes";
import { linksOf } from "../graph/wiring";

/** A node of a graph of the document. */
export interface NodeData extends Record<string, unknown> {
  readonly graph: GraphName;
  readonly name: string;
  readonly entry: NodeEntry;
  readonly ports: Ports | undefined;
  readonly layout: NodeLayout;
  /** Inputs that wires end at. */
  readonly wired: readonly string[];
}

export interface WireData extends Record<string, unknown> {
  readonly type: PortType;
  readonly index: number;
}

export type CanvasNode = Node<NodeData, "node">;
export type CanvasEdge = Edge<WireData, "wire">;

export interface CanvasModel {
  readonly nodes: readonly CanvasNode[];
  readonly edges: readonly CanvasEdge[];
}

export const NODE_WIDTH = 250;

export function canvasModel(document: Document, name: GraphName, definitions: Definitions): CanvasModel {
  const graph = graphOf(document, name);
  const links = linksOf(graph);
  const wired = Map.groupBy(links, (link) => link.to.node);
  const ports = new Map(
    Object.entries(graph.nodes ?? {}).map(([node, entry]) => [node, portsOf(document, entry, definitions)]),
  );
  const nodes = Object.entries(graph.nodes ?? {}).map(([node, entry], index): CanvasNode => {
    const layout = graph.layout?.nodes?.[node] ?? { x: (index % 6) * 300, y: Math.floor(index / 6) * 320 };
    return {
      id: node,
      type: "node",
      position: { x: layout.x, y: layout.y },
      width: layout.width ?? NODE_WIDTH,
      data: {
        graph: name,
        name: node,
        entry,
        ports: ports.get(node),
        layout,
        wired: [...new Set(wired.get(node)?.map((link) => link.to.port))],
      },
    };
  });
  const edges = links.map(({ from, to, index }): CanvasEdge => {
    const type = ports.get(from.node)?.outputs.find((each) => each.name === from.port)?.type ?? ANY;
    return {
      id: `${to.node}.${to.port}#${index}`,
      type: "wire",
      source: from.node,
      sourceHandle: from.port,
      target: to.node,
      targetHandle: to.port,
      data: { type, index },
    };
  });
  return { nodes, edges };
}
