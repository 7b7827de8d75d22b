import { ViewportPortal, useStore } from "@xyflow/react";
import { useMemo } from "react";
import { type Branch, branchesOf } from "../graph/branches";
import { useDefinitions } from "../store/definitions";
import { shownGraph, useTab } from "../store/editor";
import { drawnGraphs } from "./regions";
import { hull } from "./hull";
import "./branches.css";

const HUES = [155, 25, 265, 85, 320, 200];

/** Behind the nodes that only one branch of a choice needs: a tinted patch that says when they are computed. */
export function Branches() {
  const document = useTab((tab) => tab.document);
  const graph = useTab(shownGraph);
  const definitions = useDefinitions((state) => state.byId);
  const branches = useMemo(
    () =>
      drawnGraphs(document, graph).flatMap((each) =>
        branchesOf(document, each.graph, definitions).map((branch) => ({ branch, prefix: each.prefix })),
      ),
    [document, graph, definitions],
  );
  return (
    <ViewportPortal>
      <div className="branches">
        {branches.map(({ branch, prefix }, index) => (
          <Patch key={prefix + branch.id} branch={branch} prefix={prefix} hue={HUES[index % HUES.length] ?? 0} />
        ))}
      </div>
    </ViewportPortal>
  );
}

/** Where the nodes of a branch are, as text so that only changes count. */
function useBoxes({ nodes }: Branch, prefix: string): string {
  return useStore(({ nodeLookup }) =>
    [...nodes]
      .map((id) => {
        const { internals, measured } = nodeLookup.get(prefix + id) ?? {};
        const { x = 0, y = 0 } = internals?.positionAbsolute ?? {};
        return measured?.width === undefined ? "" : [x, y, measured.width, measured.height ?? 0].join(",");
      })
      .join(" "),
  );
}

interface Props {
  readonly branch: Branch;
  readonly prefix: string;
  readonly hue: number;
}

function Patch({ branch, prefix, hue }: Props) {
  const boxes = useBoxes(branch, prefix);
  const shape = useMemo(() => hull(boxes), [boxes]);
  if (!shape) return null;
  const { x, y, width, height, path, top } = shape;
  const color = `oklch(var(--type-lightness) 0.13 ${hue})`;
  return (
    <div className="branch" data-branch={branch.id} style={{ left: x, top: y, width, height, color }}>
      <svg width={width} height={height} viewBox={`${x} ${y} ${width} ${height}`} aria-hidden="true">
        <path d={path} />
      </svg>
      <span className="branch-label" style={{ left: top.x - x - 4 }}>
        {branch.label}
      </span>
    </div>
  );
}
