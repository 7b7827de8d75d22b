// Where things are on the canvas, and moving them.
import type { GraphName, Point } from "../graph/document";
import { type Rect, boundsOf, holds, moveBoxes } from "../graph/boxes";
import { moveNodes } from "../graph/edits";
import { activeTab, asOneStep, edit, shownGraph } from "../store/editor";
import { chosenOf } from "./ids";
import type { AnyNode } from "./model";
import { pointerOnScreen, useCanvas } from "./state";

/** A node with its size on the canvas, as it was measured or as it is likely to be. */
export function rectOf(node: AnyNode): Rect {
  return {
    x: node.position.x,
    y: node.position.y,
    width: node.measured?.width ?? node.width ?? 0,
    height: node.measured?.height ?? node.height ?? node.initialHeight ?? 0,
  };
}

/** Everything on the canvas that is part of the shown graph itself. */
export function shownNodes(): readonly AnyNode[] {
  const graph = shownGraph(activeTab());
  return (useCanvas.getState().flow?.getNodes() ?? []).filter((each) => each.data.graph === graph && !each.parentId);
}

/** The selected things, or where nothing is selected all. */
export function chosenNodes(): readonly AnyNode[] {
  const { selected } = activeTab();
  const all = shownNodes();
  const chosen = all.filter((each) => selected.has(each.id));
  return chosen.length > 0 ? chosen : all;
}

/** The ids of everything that lies in the groups among some ids. */
export function insideGroups(ids: ReadonlySet<string>): ReadonlySet<string> {
  const all = shownNodes();
  const frames = all.filter((each) => each.type === "frame" && ids.has(each.id)).map((each) => rectOf(each));
  if (frames.length === 0) return new Set();
  const isInside = (each: AnyNode) => frames.some((frame) => holds(frame, rectOf(each)));
  return new Set(all.filter((each) => !ids.has(each.id) && isInside(each)).map((each) => each.id));
}

/** Write positions into the document, as one step. */
export function place(label: string, moved: readonly { readonly id: string; readonly at: Point }[], merge = ""): void {
  const byGraph = Map.groupBy(moved, ({ id }) => graphOfNode(id));
  asOneStepUnless(merge !== "", () =>
    byGraph.forEach((each, graph) => {
      const positions = new Map(each.map(({ id, at }) => [nameOf(id), inGraph(id, at)]));
      edit(
        label,
        (old) => {
          const { nodes, groups, notes } = chosenOf(positions.keys());
          const only = (kept: ReadonlySet<string>, prefix: string) =>
            new Map([...kept].map((name) => [name, positions.get(prefix + name) ?? { x: 0, y: 0 }]));
          const left = nodes.size > 0 ? moveNodes(old, only(nodes, "")) : old;
          return moveBoxes(moveBoxes(left, "groups", only(groups, "group:")), "notes", only(notes, "note:"));
        },
        { graph, merge },
      );
    }),
  );
}

function asOneStepUnless(isMerged: boolean, run: () => void): void {
  if (isMerged) run();
  else asOneStep(run);
}

function graphOfNode(id: string): GraphName {
  return useCanvas.getState().flow?.getNode(id)?.data.graph ?? shownGraph(activeTab());
}

/** A position on the canvas as the graph of a node has it. */
function inGraph(id: string, { x, y }: Point): Point {
  const offset = useCanvas.getState().flow?.getNode(id)?.data["offset"] as Point | undefined;
  return offset ? { x: x + offset.x, y: y + offset.y } : { x, y };
}

function nameOf(id: string): string {
  const data = useCanvas.getState().flow?.getNode(id)?.data;
  return data && "name" in data ? (data.name as string) : id;
}

/** Move the view so that these things, or all, are seen. */
export function showNodes(ids?: Iterable<string>, duration = 200): void {
  const { flow } = useCanvas.getState();
  const wanted = ids && new Set(ids);
  const nodes = shownNodes().filter((each) => !wanted || wanted.has(each.id));
  const bounds = boundsOf(nodes.map(rectOf));
  const isCalm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (flow && bounds) void flow.fitBounds(bounds, { padding: 0.12, duration: isCalm ? 0 : duration });
}

/** Where on the page the first selected thing is, or the middle of the canvas. */
export function placeOfSelection(): Point {
  const { flow } = useCanvas.getState();
  const { selected } = activeTab();
  const first = shownNodes().find((each) => selected.has(each.id));
  if (!flow || !first) return pointerOnScreen();
  const { x, y } = rectOf(first);
  return flow.flowToScreenPosition({ x: x + 20, y: y + 20 });
}
