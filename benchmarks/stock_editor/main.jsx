// React Flow as its documentation shows it, with its own nodes and edges: what the editor is measured against.
import "@xyflow/react/dist/style.css";
import { Background, Controls, MiniMap, ReactFlow, addEdge, useEdgesState, useNodesState } from "@xyflow/react";
import { useCallback } from "react";
import { createRoot } from "react-dom/client";

const { nodes: count, columns, dx, dy } = Object.fromEntries(
  [...new URLSearchParams(location.search)].map(([name, value]) => [name, Number(value)]),
);

const NODES = Array.from({ length: count }, (_, index) => ({
  id: String(index),
  position: { x: (index % columns) * dx, y: Math.floor(index / columns) * dy },
  data: { label: `node ${index}` },
  sourcePosition: "right",
  targetPosition: "left",
}));
const EDGES = NODES.slice(1).map((node, index) => ({
  id: `e${index}`,
  source: String(index),
  target: node.id,
}));

function Flow() {
  const [nodes, , onNodesChange] = useNodesState(NODES);
  const [edges, setEdges, onEdgesChange] = useEdgesState(EDGES);
  const onConnect = useCallback((connection) => setEdges((old) => addEdge(connection, old)), [setEdges]);
  return (
    <ReactFlow
      nodes={nodes}
      edges={edges}
      onNodesChange={onNodesChange}
      onEdgesChange={onEdgesChange}
      onConnect={onConnect}
      minZoom={0.05}
      fitView
    >
      <Background />
      <Controls />
      <MiniMap />
    </ReactFlow>
  );
}

createRoot(document.getElementById("root")).render(<Flow />);
