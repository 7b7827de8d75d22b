import { Background, BackgroundVariant, ReactFlow, SelectionMode, useKeyPress } from "@xyflow/react";
import { type MouseEvent, useCallback, useEffect, useMemo, useState } from "react";
import { Branches } from "../subgraphs/Branches";
import { EndsView } from "../subgraphs/EndsView";
import { RegionView } from "../subgraphs/RegionView";
import { Trail } from "../subgraphs/Trail";
import { useDefinitions } from "../store/definitions";
import { shownGraph, useTab } from "../store/editor";
import { usePage } from "../store/layout";
import { CanvasBar } from "./CanvasBar";
import { DrawnWire } from "./DrawnWire";
import { FarWires } from "./FarWires";
import { GroupView } from "./GroupView";
import { Minimap } from "./Minimap";
import { NodeView } from "./NodeView";
import { NoteView } from "./NoteView";
import { SocketTip } from "./SocketTip";
import { WireHint } from "./WireHint";
import { WireView } from "./WireView";
import { listenToClipboard } from "./clipboard";
import { beginDrag, drawWire, dropWire, endOfWire, judge, moveWire } from "./connecting";
import { changeEdges, changedNodes, dragStarted, dragStopped, dropped, openPalette, reroute } from "./gestures";
import { type AnyNode, type CanvasEdge, type CanvasModel, canvasModel } from "./model";
import { openMenu } from "./menu/opening";
import { pickUp } from "./pickUp";
import { Palette } from "./palette/Palette";
import { useCanvas, useDrag, usePointer, useRefusal } from "./state";
import { useCanvasNodes } from "./useCanvasNodes";
import { useView } from "./useView";
import { onSocketKey } from "./walking";
import "./canvas.css";

const NODE_TYPES = { node: NodeView, region: RegionView, ends: EndsView, frame: GroupView, note: NoteView };
const EDGE_TYPES = { wire: WireView };
const GRID: [number, number] = [10, 10];
const ADDING_KEYS = ["Shift", "Control", "Meta"];
const PAN_BUTTONS = [0, 1];
/** With more nodes than this only those in view are in the page. */
const MANY = 80;
const FAR = 0.35;
const NO_EDGES: CanvasEdge[] = [];

export function Canvas() {
  const document = useTab((tab) => tab.document);
  const graph = useTab(shownGraph);
  const selected = useTab((tab) => tab.selected);
  const revision = useTab((tab) => tab.revision);
  const definitions = useDefinitions((state) => state.byId);
  const minimap = usePage((state) => state.minimap);
  const snap = usePage((state) => state.snap);
  const isBusy = useCanvas((state) => state.busy);
  const isGliding = useCanvas((state) => state.gliding);
  const model = useModel(document, graph, definitions);
  const [nodes, change] = useCanvasNodes(model, selected, revision);
  const edges = useMemo(() => withSelection(model.edges, selected), [model.edges, selected]);
  const areWiresFar = useCanvas((state) => state.far) && edges.length > MANY;
  const isPanning = useKeyPress("Space");
  const saveView = useView();
  useEffect(listenToClipboard, []);

  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- an application is what the keys are for
    <div
      className={`canvas${isGliding ? " canvas-gliding" : ""}`}
      role="application"
      aria-busy={isBusy}
      aria-label="Canvas"
      tabIndex={-1}
      onPointerMove={(event) => usePointer.setState({ x: event.clientX, y: event.clientY })}
      onDoubleClick={(event: MouseEvent<HTMLElement>) => openPalette(event)}
      onPointerDownCapture={() => useRefusal.setState({ refusal: null })}
      onMouseDownCapture={pickUp}
      onDragOver={(event) => event.dataTransfer.types.includes("application/x-nodegraph") && event.preventDefault()}
      onDrop={dropped}
      onKeyDown={onSocketKey}
    >
      <ReactFlow<AnyNode, CanvasEdge>
        nodes={nodes}
        edges={areWiresFar ? NO_EDGES : edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        onInit={(flow) => useCanvas.setState({ flow })}
        onNodesChange={useCallback((changes) => change(changedNodes(changes)), [change])}
        onEdgesChange={changeEdges}
        onNodeDragStart={dragStarted}
        onNodeDragStop={dragStopped}
        onSelectionDragStart={(event, moved) => dragStarted(event, undefined, moved)}
        onSelectionDragStop={(event, moved) => dragStopped(event, undefined, moved)}
        onSelectionStart={() => useCanvas.setState({ boxing: true })}
        onSelectionEnd={() => useCanvas.setState({ boxing: false })}
        isValidConnection={isValid}
        onConnectStart={(_event, { nodeId, handleId, handleType }) =>
          beginDrag(nodeId ?? "", handleId ?? "", handleType === "target" ? "input" : "output")
        }
        onConnect={drawWire}
        onConnectEnd={endOfWire}
        onReconnect={moveWire}
        onReconnectStart={() => useDrag.setState({ isMoved: true })}
        onReconnectEnd={(_event, edge, _type, state) => dropWire(edge, state)}
        onEdgeDoubleClick={reroute}
        onPaneContextMenu={(event) => openMenu(event, "canvas")}
        onNodeContextMenu={(event, node) => openMenu(event, PLACES[node.type], node.id)}
        onSelectionContextMenu={(event) => openMenu(event, "node")}
        onEdgeContextMenu={(event, edge) => openMenu(event, "wire", edge.id)}
        onMove={(_event, { zoom }) => {
          if (zoom < FAR !== useCanvas.getState().far) useCanvas.setState({ far: zoom < FAR });
        }}
        onMoveEnd={saveView}
        connectionLineComponent={DrawnWire}
        connectionRadius={26}
        connectOnClick={false}
        reconnectRadius={12}
        snapToGrid={snap}
        snapGrid={GRID}
        minZoom={0.05}
        maxZoom={3}
        panOnDrag={PAN_BUTTONS}
        panActivationKeyCode="Space"
        nodesDraggable={!isPanning}
        selectionKeyCode="Shift"
        multiSelectionKeyCode={ADDING_KEYS}
        selectionMode={SelectionMode.Partial}
        zoomOnDoubleClick={false}
        deleteKeyCode={null}
        nodeDragThreshold={2}
        elevateNodesOnSelect
        disableKeyboardA11y
        onlyRenderVisibleElements={nodes.length > MANY}
      >
        <Background variant={BackgroundVariant.Dots} gap={20} size={1.4} />
        {areWiresFar && <FarWires edges={model.edges} />}
        <Branches />
        <WireHint />
      </ReactFlow>
      <Trail />
      {minimap && <Minimap />}
      <CanvasBar />
      <SocketTip />
      <Palette />
    </div>
  );
}

const PLACES = { node: "node", region: "node", ends: "node", frame: "group", note: "note" } as const;

const isValid = (connection: Parameters<typeof judge>[0]): boolean => "how" in judge(connection);

/** The model of the shown graph; what did not change since the last one is the same. */
function useModel(...[document, graph, definitions]: Parameters<typeof canvasModel>): CanvasModel {
  const [last, setLast] = useState({ document, graph, definitions, model: canvasModel(document, graph, definitions) });
  if (last.document === document && last.graph === graph && last.definitions === definitions) return last.model;
  const model = canvasModel(document, graph, definitions, last.graph === graph ? last.model : undefined);
  setLast({ document, graph, definitions, model });
  return model;
}

function withSelection(edges: readonly CanvasEdge[], selected: ReadonlySet<string>): CanvasEdge[] {
  return edges.map((each) => (selected.has(each.id) ? { ...each, selected: true } : each));
}
