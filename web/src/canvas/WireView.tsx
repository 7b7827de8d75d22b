import { BaseEdge, type EdgeProps } from "@xyflow/react";
import { memo, useState } from "react";
import type { Point } from "../graph/document";
import { WirePoint } from "./WirePoint";
import { colourOf } from "./colours";
import type { CanvasEdge } from "./model";
import { wirePath } from "./wirePath";
import "./wire.css";

/** A wire in the colour of what flows in it, with its reroute points. */
export const WireView = memo(function WireView(props: EdgeProps<CanvasEdge>) {
  const { id, data, selected, sourceX, sourceY, targetX, targetY } = props;
  const [moved, setMoved] = useState<readonly Point[] | null>(null);
  const points = moved ?? data?.points ?? [];
  const path = wirePath({ x: sourceX, y: sourceY }, { x: targetX, y: targetY }, points);
  return (
    <g
      className={`wire${selected ? " wire-selected" : ""}${data?.isIdle ? " wire-idle" : ""}`}
      style={{ color: data ? colourOf(data.type) : undefined }}
    >
      <BaseEdge id={id} path={path} interactionWidth={18} />
      {data?.points.map((_, index) => (
        <WirePoint key={index} wire={data} index={index} points={points} onMove={setMoved} />
      ))}
    </g>
  );
});
