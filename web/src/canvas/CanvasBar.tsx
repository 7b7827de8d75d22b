import { useViewport } from "@xyflow/react";
import { usePage } from "../store/layout";
import { arrange } from "./arranging";
import { showNodes } from "./placing";
import { pointerOnCanvas, useCanvas } from "./state";

/** Buttons at the edge of the canvas: adding, looking and arranging. */
export function CanvasBar() {
  const snap = usePage((state) => state.snap);
  const minimap = usePage((state) => state.minimap);
  return (
    <div className="canvas-bar" role="toolbar" aria-label="Canvas">
      <button
        type="button"
        title="Add a node (Tab or double-click)"
        onClick={(event) => {
          const { left, top } = event.currentTarget.getBoundingClientRect();
          useCanvas.setState({ palette: { screen: { x: left, y: top - 430 }, at: pointerOnCanvas() } });
        }}
      >
        + Add
      </button>
      <button type="button" title="Zoom out (-)" onClick={() => void useCanvas.getState().flow?.zoomOut()}>
        −
      </button>
      <Zoom />
      <button type="button" title="Zoom in (+)" onClick={() => void useCanvas.getState().flow?.zoomIn()}>
        +
      </button>
      <button type="button" title="Show everything (.)" onClick={() => showNodes()}>
        Fit
      </button>
      <button type="button" title="Arrange the selection, or all (Shift+L)" onClick={() => void arrange()}>
        Arrange
      </button>
      <button
        type="button"
        title="Snap to the grid"
        aria-pressed={snap}
        onClick={() => usePage.setState({ snap: !snap })}
      >
        Snap
      </button>
      <button
        type="button"
        title="Show the minimap"
        aria-pressed={minimap}
        onClick={() => usePage.setState({ minimap: !minimap })}
      >
        Map
      </button>
    </div>
  );
}

function Zoom() {
  const { zoom } = useViewport();
  return (
    <button
      type="button"
      title="Zoom to 100 %"
      onClick={() => void useCanvas.getState().flow?.zoomTo(1, { duration: 150 })}
    >
      {Math.round(zoom * 100)} %
    </button>
  );
}
