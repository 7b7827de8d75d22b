import { useStoreApi } from "@xyflow/react";
import { FarRun } from "../results/FarRun";
import { NODE_WIDTH, estimatedHandles, estimatedHeight } from "./rows";
import type { AnyNode, NodeData } from "./model";

interface Props {
  readonly id: string;
  readonly data: NodeData;
  readonly title: string;
}

/** A node from far away: a box of the same size with a large title. Its sockets are where they were last seen. */
export function FarNode({ id, data, title }: Props) {
  const store = useStoreApi<AnyNode>();
  const { ports, layout } = data;
  const isCollapsed = layout.collapsed ?? false;
  const known = store.getState().nodeLookup.get(id);
  const height = known?.measured.height ?? estimatedHeight(ports, isCollapsed);
  const bounds = known?.internals.handleBounds;
  const sockets = bounds
    ? [...(bounds.source ?? []), ...(bounds.target ?? [])]
    : estimatedHandles(ports, isCollapsed, layout.width ?? NODE_WIDTH);
  return (
    <div className="node-far" style={{ height }}>
      <span className="node-far-title">{title}</span>
      <FarRun id={id} />
      {sockets.map((each) => (
        <i
          key={`${each.type} ${each.id}`}
          className={each.type}
          data-handleid={each.id}
          data-handlepos={each.position}
          style={{ left: each.x, top: each.y }}
        />
      ))}
    </div>
  );
}
