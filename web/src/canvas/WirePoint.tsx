import { useReactFlow } from "@xyflow/react";
import { type KeyboardEvent, type PointerEvent } from "react";
import { type Point } from "../graph/document";
import { pointsKey, setPoints } from "../graph/points";
import { edit } from "../store/editor";
import type { WireData } from "./model";

interface Props {
  readonly wire: WireData;
  readonly index: number;
  readonly points: readonly Point[];
  /** Shows the wire through other points while one is dragged; null for those of the document. */
  readonly onMove: (points: readonly Point[] | null) => void;
}

const STEPS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -10, y: 0 },
  ArrowRight: { x: 10, y: 0 },
  ArrowUp: { x: 0, y: -10 },
  ArrowDown: { x: 0, y: 10 },
};

/** A reroute point: it is dragged or moved by arrow keys; a double click or Delete takes it away. */
export function WirePoint({ wire, index, points, onMove }: Props) {
  const { screenToFlowPosition } = useReactFlow();
  const at = points[index];
  if (!at) return null;
  const { graph, link } = wire;
  const write = (next: readonly Point[], label: string) =>
    edit(label, (each) => setPoints(each, pointsKey(link.to, link.index), next), { graph });
  const remove = () => write(points.toSpliced(index, 1), "remove point");

  const onPointerDown = (event: PointerEvent<SVGCircleElement>) => {
    if (event.button !== 0) return;
    event.stopPropagation();
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const onPointerMove = (event: PointerEvent<SVGCircleElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    onMove(points.with(index, screenToFlowPosition({ x: event.clientX, y: event.clientY })));
  };
  const onLostCapture = () => {
    if (points !== wire.points) write(points, "move point");
    onMove(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (event.key === "Delete" || event.key === "Backspace") remove();
    else if (step) write(points.with(index, { x: at.x + step.x, y: at.y + step.y }), "move point");
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <circle
      className="wire-point nopan nodrag"
      cx={at.x}
      cy={at.y}
      r={6}
      tabIndex={0}
      role="button"
      aria-label={`Point ${index + 1} of the wire into ${link.to.node}.${link.to.port}`}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onLostPointerCapture={onLostCapture}
      onDoubleClick={(event) => {
        event.stopPropagation();
        remove();
      }}
      onKeyDown={onKeyDown}
    />
  );
}
