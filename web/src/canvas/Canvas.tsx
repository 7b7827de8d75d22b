import {
  Background,
  type Connection,
  Controls,
  MiniMap,
  type NodeChange,
  ReactFlow,
  applyNodeChanges,
} from "@xyflow/react";
import { useCallback, useMemo, useState } from "react";
import { connect, disconnect, moveNodes, removeNodes } from "../graph/edits";
import { type End, fit } from "../graph/wiring";
import { useDefinitions } from "../store/definitions";
import { activeTab, edit, select, shownGraph, useTab } from "../store/editor";
import { usePage } from "../store/layout";
import { notify } from "../store/notices";
import { NodeView } from "./NodeView";
import { WireView } from "./WireView";
import { type CanvasEdge, type CanvasNode, canvasModel } from "./model";

const NODE_TYPES = { node: NodeView };
const EDGE_TYPES = { wire: WireView };

export function Canvas() {
  const document = useTab((tab) => tab.document);
  const graph = useTab(shownGraph);
  const definitions = useDefinitions((state) => state.byId);
  const { minimap, snap } = usePage();
  const model = useMemo(() => canvasModel(document, graph, definitions), [document, graph, definitions]);
  const [shown, setShown] = useState(model);
  const [nodes, setNodes] = useState<CanvasNode[]>([...model.nodes]);
  if (shown !== model) {
    // positions while dragging are React Flow's own; the document's count again when it changes
    const known = new Map(nodes.map((each) => [each.id, each]));
    setShown(model);
    setNodes(model.nodes.map((each) => ({ ...known.get(each.id), ...each })));
  }

  const onNodesChange = useCallback((changes: NodeChange<CanvasNode>[]) => {
    setNodes((old) => applyNodeChanges(changes, old));
  }, []);

  return (
    <ReactFlow<CanvasNode, CanvasEdge>
      nodes={nodes}
      edges={model.edges as CanvasEdge[]}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      onNodesChange={onNodesChange}
      onNodeDragStop={(_event, _node, moved) =>
        edit("move", (each) => moveNodes(each, new Map(moved.map(({ id, position }) => [id, position]))))
      }
      onSelectionChange={({ nodes: chosen }) => select(chosen.map((each) => each.id))}
      onConnect={draw}
      onDelete={({ nodes: gone, edges }) => remove(gone, edges)}
      snapToGrid={snap}
      snapGrid={[10, 10]}
      minZoom={0.05}
      fitView
      deleteKeyCode={["Delete", "Backspace"]}
    >
      <Background />
      <Controls />
      {minimap && <MiniMap pannable zoomable />}
    </ReactFlow>
  );
}

function draw(connection: Connection): void {
  const from: End = { node: connection.source, port: connection.sourceHandle ?? "" };
  const to: End = { node: connection.target, port: connection.targetHandle ?? "" };
  const tab = activeTab();
  const found = fit(tab.document, shownGraph(tab), from, to, useDefinitions.getState().byId);
  if ("reason" in found) notify(found.reason, "error");
  else edit("connect", (graph) => connect(graph, from, to, found.how));
}

function remove(nodes: readonly CanvasNode[], edges: readonly CanvasEdge[]): void {
  const gone = new Set(nodes.map((each) => each.id));
  edit("delete", (graph) => {
    let left = graph;
    const behindFirst = [...edges].sort((a, b) => (b.data?.index ?? 0) - (a.data?.index ?? 0));
    for (const { target, targetHandle, data } of behindFirst) {
      if (!gone.has(target)) left = disconnect(left, { node: target, port: targetHandle ?? "" }, data?.index);
    }
    return removeNodes(left, gone);
  });
}
