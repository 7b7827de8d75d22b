// What happens where dragged nodes are let go: they go into the region there or leave theirs, and one that nothing is
// wired to goes into the wire or the branch that it lies on.
import type { AnyNode } from "../canvas/model";
import { useCanvas } from "../canvas/state";
import { branchesOf } from "../graph/branches";
import { type Point, graphOf, withGraph } from "../graph/document";
import { splice } from "../graph/splice";
import { type Link, linksOf } from "../graph/wiring";
import { useDefinitions } from "../store/definitions";
import { activeTab, changeTab, editDocument, select, shownGraph } from "../store/editor";
import { notify } from "../store/notices";
import { moveTo } from "./dropping";
import { outline } from "./hull";
import { locate, regionOf } from "./paths";
import { REGION } from "./regions";
import { keptStill } from "./still";

const NODES = new Set(["node", "region"]);

/** Let nodes go where the pointer is; whether that was over another region than theirs, so that they moved there. */
export function dropIntoRegion(moved: readonly AnyNode[], at: Point): boolean {
  const ids = moved.filter((each) => NODES.has(each.type)).map((each) => each.id);
  const { flow } = useCanvas.getState();
  const from = regionOf(ids[0] ?? "");
  const target = regionAt(at, ids);
  if (!flow || ids.length === 0 || ids.length < moved.length || target === from) return false;
  if (ids.some((id) => regionOf(id) !== from)) return false;
  const positions = new Map(
    ids.map((id) => {
      const { x = 0, y = 0 } = flow.getInternalNode(id)?.internals.positionAbsolute ?? {};
      return [id, inRegion(target, { x, y })];
    }),
  );
  const { document } = activeTab();
  const shown = shownGraph(activeTab());
  const found = moveTo(document, shown, ids, target, positions);
  if ("reason" in found) {
    notify(`They stay where they are: ${found.reason}.`, "error");
    changeTab(activeTab().id, (tab) => ({ ...tab, revision: tab.revision + 1 }));
    return true;
  }
  const label = target === "" ? "move out of the graph" : "move into the graph";
  editDocument(label, () => keptStill(document, found.document, shown, [from, target]));
  select(found.ids);
  return true;
}

/** Move a new node of the shown graph into the region at a point, or of the node that it is wired to; its id there. */
export function settleInRegion(node: string, at: Point, neighbour?: string): string {
  const target = neighbour === undefined ? regionAt(at) : regionOf(neighbour);
  if (target === "") return node;
  const { document } = activeTab();
  const shown = shownGraph(activeTab());
  const { x = 0, y = 0 } = graphOf(document, shown).layout?.nodes?.[node] ?? {};
  const found = moveTo(document, shown, [node], target, new Map([[node, inRegion(target, { x, y })]]));
  if ("reason" in found) return node;
  editDocument("add node", () => keptStill(document, found.document, shown, [target]));
  return found.ids[0] ?? node;
}

/** The innermost region at a point of the canvas, without the dragged ones. */
export function regionAt({ x, y }: Point, dragged: readonly string[] = []): string {
  const { flow } = useCanvas.getState();
  const holds = (node: AnyNode) => {
    const at = flow?.getInternalNode(node.id)?.internals.positionAbsolute;
    const { width = 0, height = 0 } = node.measured ?? {};
    return at !== undefined && x >= at.x && y >= at.y && x <= at.x + width && y <= at.y + height;
  };
  const isDragged = (id: string) => dragged.some((each) => id === each || id.startsWith(`${each}/`));
  const found = (flow?.getNodes() ?? []).filter((each) => each.type === "region" && !isDragged(each.id) && holds(each));
  return found.map((each) => each.id).sort((a, b) => b.split("/").length - a.split("/").length)[0] ?? "";
}

/** A point of the canvas as the graph of a region has it. */
export function inRegion(region: string, { x, y }: Point): Point {
  const origin = useCanvas.getState().flow?.getInternalNode(region)?.internals.positionAbsolute ?? { x: 0, y: 0 };
  const offset = offsetOf(region);
  return { x: x - origin.x + offset.x, y: y - origin.y + offset.y };
}

/** What the positions in a region lack to those in its graph. */
function offsetOf(region: string): Point {
  if (region === "") return { x: 0, y: 0 };
  const child = useCanvas
    .getState()
    .flow?.getNodes()
    .find((each) => each.parentId === region);
  return (child?.data["offset"] as Point | undefined) ?? { x: -REGION.left, y: -REGION.top };
}

/** Put a node that nothing is wired to into the wire or the branch that it lies on. */
export function spliceDropped(id: string): void {
  const { document } = activeTab();
  const found = locate(document, shownGraph(activeTab()), id);
  if (!found) return;
  const graph = graphOf(document, found.graph);
  const isFree = linksOf(graph).every(({ from, to }) => from.node !== found.node && to.node !== found.node);
  if (!isFree || !graph.nodes?.[found.node]) return;
  const definitions = useDefinitions.getState().byId;
  for (const link of [...linksUnder(id), ...branchesUnder(id)]) {
    const next = splice(document, found.graph, found.node, link, definitions);
    if (!next) continue;
    editDocument("put into the wire", (old) => withGraph(old, found.graph, () => next));
    return;
  }
}

/** The wires that a node lies on. */
function linksUnder(id: string): Link[] {
  const { flow } = useCanvas.getState();
  const own = flow?.getNode(id);
  const box = document.querySelector(`.react-flow__node[data-id="${CSS.escape(id)}"]`)?.getBoundingClientRect();
  if (!box || !flow || !own) return [];
  const found = new Map<string, Link>();
  for (const x of [0.1, 0.3, 0.5, 0.7, 0.9]) {
    for (const y of [0.15, 0.35, 0.5, 0.65, 0.85]) {
      for (const element of document.elementsFromPoint(box.left + box.width * x, box.top + box.height * y)) {
        const edge = flow.getEdge(element.closest<HTMLElement>(".react-flow__edge")?.dataset["id"] ?? "");
        const link = edge?.data?.link;
        if (edge && link && edge.data?.graph === own.data.graph && !isEnd(link)) found.set(edge.id, link);
      }
    }
  }
  return [...found.values()];
}

function isEnd({ from, to }: Link): boolean {
  return from.node.startsWith("@") || to.node.startsWith("@");
}

/** The wires that the branches end in on whose patch the middle of a node lies. */
function branchesUnder(id: string): Link[] {
  const { flow } = useCanvas.getState();
  const boxOf = (name: string) => {
    const { internals, measured } = flow?.getInternalNode(name) ?? {};
    const { x = 0, y = 0 } = internals?.positionAbsolute ?? {};
    return { x, y, right: x + (measured?.width ?? 0), bottom: y + (measured?.height ?? 0) };
  };
  const own = boxOf(id);
  const middle = { x: (own.x + own.right) / 2, y: (own.y + own.bottom) / 2 };
  const shown = shownGraph(activeTab());
  return branchesOf(activeTab().document, shown, useDefinitions.getState().byId)
    .filter(({ nodes }) => {
      const corners = [...nodes].map(boxOf).flatMap(({ x, y, right, bottom }) => [
        { x: x - 20, y: y - 40 },
        { x: right + 20, y: y - 40 },
        { x: x - 20, y: bottom + 20 },
        { x: right + 20, y: bottom + 20 },
      ]);
      return holds(outline(corners), middle);
    })
    .map((each) => each.link);
}

/** Whether a point lies in a shape without dents. */
function holds(shape: readonly Point[], { x, y }: Point): boolean {
  const sides = shape.map((a, index) => {
    const b = shape[(index + 1) % shape.length] as Point;
    return (b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x);
  });
  return shape.length > 2 && (sides.every((each) => each >= 0) || sides.every((each) => each <= 0));
}

/** Nodes were moved within their regions: what did not move stays where it is. */
export function keepStill(moved: readonly AnyNode[], move: () => void): void {
  const { document } = activeTab();
  const regions = new Set(moved.map((each) => regionOf(each.id)).filter((each) => each !== ""));
  move();
  if (regions.size === 0) return;
  editDocument("move", (after) => keptStill(document, after, shownGraph(activeTab()), regions));
}
