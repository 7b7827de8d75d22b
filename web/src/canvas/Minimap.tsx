import { useReactFlow, useStore } from "@xyflow/react";
import { type PointerEvent, type WheelEvent, useEffect, useMemo, useRef } from "react";
import { boundsOf } from "../graph/boxes";
import { chosenColour, tintOf } from "./colours";
import type { AnyNode } from "./model";
import { rectOf } from "./placing";

const WIDTH = 200;
const HEIGHT = 140;
const ROOM = 60;

/** The whole graph in small: pressing or dragging in it moves the view, the wheel zooms. */
export function Minimap() {
  const nodes = useStore((state) => state.nodes) as AnyNode[];
  const canvas = useRef<HTMLCanvasElement>(null);
  const { setCenter, getZoom, zoomTo } = useReactFlow();
  const scene = useMemo(() => {
    const rects = nodes.filter((each) => !each.parentId).map((node) => ({ node, rect: rectOf(node) }));
    const bounds = boundsOf(rects.map((each) => each.rect)) ?? { x: 0, y: 0, width: 1000, height: 700 };
    const scale = Math.min(WIDTH / (bounds.width + 2 * ROOM), HEIGHT / (bounds.height + 2 * ROOM));
    const left = bounds.x + bounds.width / 2 - WIDTH / scale / 2;
    const top = bounds.y + bounds.height / 2 - HEIGHT / scale / 2;
    return { rects, scale, left, top };
  }, [nodes]);

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const { rects, scale, left, top } = scene;
    const density = window.devicePixelRatio;
    context.setTransform(density * scale, 0, 0, density * scale, -left * scale * density, -top * scale * density);
    context.clearRect(left, top, WIDTH / scale, HEIGHT / scale);
    for (const { node, rect } of rects) {
      context.fillStyle = colourIn(node);
      context.globalAlpha = node.type === "frame" || node.type === "region" ? 0.25 : 0.9;
      context.fillRect(rect.x, rect.y, rect.width, rect.height);
    }
  }, [scene]);

  const go = (event: PointerEvent<HTMLElement>) => {
    if (event.buttons !== 1) return;
    const box = event.currentTarget.getBoundingClientRect();
    const x = scene.left + (event.clientX - box.left) / scene.scale;
    const y = scene.top + (event.clientY - box.top) / scene.scale;
    void setCenter(x, y, { zoom: getZoom() });
  };
  const density = window.devicePixelRatio;
  return (
    <div
      className="minimap"
      role="img"
      aria-label="The whole graph in small"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        go(event);
      }}
      onPointerMove={go}
      onWheel={(event: WheelEvent) => void zoomTo(getZoom() * (event.deltaY > 0 ? 0.85 : 1.18))}
    >
      <canvas ref={canvas} width={WIDTH * density} height={HEIGHT * density} />
      <Shown {...scene} />
    </div>
  );
}

interface ShownProps {
  readonly scale: number;
  readonly left: number;
  readonly top: number;
}

/** What of the graph is in view. */
function Shown({ scale, left, top }: ShownProps) {
  const [x, y, zoom] = useStore((state) => state.transform);
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const style = {
    transform: `translate(${(-x / zoom - left) * scale}px, ${(-y / zoom - top) * scale}px)`,
    width: (width / zoom) * scale,
    height: (height / zoom) * scale,
  };
  return <i className="minimap-shown" style={style} />;
}

function colourIn(node: AnyNode): string {
  if (node.type === "node") return tintOf(node.data.ports?.category ?? "", node.data.layout.colour);
  if (node.type === "frame") return chosenColour(node.data.group.colour);
  return chosenColour(node.type === "note" ? node.data.note.colour : "slate");
}
