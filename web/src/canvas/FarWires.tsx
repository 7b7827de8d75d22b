import { type InternalNode, ViewportPortal, useStore, useStoreApi } from "@xyflow/react";
import { useMemo } from "react";
import type { Point } from "../graph/document";
import { colourOf } from "./colours";
import type { AnyNode, CanvasEdge } from "./model";
import { wirePath } from "./wirePath";

/** The wires of a large graph from far away: one path for each colour, for nobody aims at a single one there. */
export function FarWires({ edges }: { readonly edges: readonly CanvasEdge[] }) {
  const store = useStoreApi<AnyNode, CanvasEdge>();
  const nodes = useStore((state) => state.nodes);
  const paths = useMemo(() => {
    const { nodeLookup } = store.getState();
    const found = new Map<string, string>();
    for (const edge of edges) {
      const from = endAt(nodeLookup.get(edge.source), edge.sourceHandle, "source");
      const to = endAt(nodeLookup.get(edge.target), edge.targetHandle, "target");
      if (!from || !to || !edge.data) continue;
      const colour = colourOf(edge.data.type);
      found.set(colour, (found.get(colour) ?? "") + wirePath(from, to, edge.data.points));
    }
    return [...found];
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the lookup is filled anew whenever the nodes are
  }, [edges, nodes, store]);
  return (
    <ViewportPortal>
      <svg className="far-wires" aria-hidden="true">
        {paths.map(([colour, path]) => (
          <path key={colour} d={path} stroke={colour} />
        ))}
      </svg>
    </ViewportPortal>
  );
}

function endAt(
  node: InternalNode<AnyNode> | undefined,
  port: string | null | undefined,
  side: "source" | "target",
): Point | undefined {
  const socket = node?.internals.handleBounds?.[side]?.find((each) => each.id === port);
  if (!node || !socket) return undefined;
  const { x, y } = node.internals.positionAbsolute;
  return { x: x + socket.x + socket.width / 2, y: y + socket.y + socket.height / 2 };
}
