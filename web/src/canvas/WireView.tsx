import { BaseEdge, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo } from "react";
import { colourOf } from "./colours";
import type { CanvasEdge } from "./model";

export const WireView = memo(function WireView(props: EdgeProps<CanvasEdge>) {
  const [path] = getBezierPath(props);
  return (
    <BaseEdge
      id={props.id}
      path={path}
      style={{ stroke: props.data ? colourOf(props.data.type) : undefined }}
      interactionWidth={16}
    />
  );
});
