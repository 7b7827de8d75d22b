import { NodeResizeControl, ResizeControlVariant } from "@xyflow/react";
import { changeLayout } from "../graph/edits";
import { edit } from "../store/editor";
import type { NodeData } from "./model";

/** The right edge of a node, which makes it wider. */
export function WidthHandle({ data: { name, graph } }: { readonly data: NodeData }) {
  return (
    <NodeResizeControl
      className="width-handle"
      position="right"
      variant={ResizeControlVariant.Line}
      resizeDirection="horizontal"
      minWidth={180}
      maxWidth={900}
      onResizeEnd={(_event, { width }) =>
        edit("resize", (each) => changeLayout(each, name, { width: Math.round(width) }), { graph })
      }
    />
  );
}
