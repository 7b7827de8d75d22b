// Groups and notes: rectangles of the layout that hold no part of what is computed.
import { type Box, type Colour, type Graph, type Group, type Note, type Point } from "./document";
import { withLayout } from "./edits";

export type BoxKind = "groups" | "notes";

export interface Rect extends Point {
  readonly width: number;
  readonly height: number;
}

export const MARGIN = 20;
/** What a group needs above its nodes for its title. */
export const TITLE_HEIGHT = 36;

export function boundsOf(rects: readonly Rect[]): Rect | undefined {
  if (rects.length === 0) return undefined;
  const x = Math.min(...rects.map((each) => each.x));
  const y = Math.min(...rects.map((each) => each.y));
  const right = Math.max(...rects.map((each) => each.x + each.width));
  const bottom = Math.max(...rects.map((each) => each.y + each.height));
  return { x, y, width: right - x, height: bottom - y };
}

/** Whether the middle of `inner` lies in `outer`. */
export function holds(outer: Rect, inner: Rect): boolean {
  const x = inner.x + inner.width / 2;
  const y = inner.y + inner.height / 2;
  return x >= outer.x && x <= outer.x + outer.width && y >= outer.y && y <= outer.y + outer.height;
}

/** A group around rectangles. */
export function groupAround(id: string, rects: readonly Rect[], colour: Colour = "slate"): Group | undefined {
  const bounds = boundsOf(rects);
  if (!bounds) return undefined;
  return {
    id,
    title: "Group",
    colour,
    x: bounds.x - MARGIN,
    y: bounds.y - MARGIN - TITLE_HEIGHT,
    width: bounds.width + 2 * MARGIN,
    height: bounds.height + 2 * MARGIN + TITLE_HEIGHT,
  };
}

export function addGroup(graph: Graph, group: Group): Graph {
  return withLayout(graph, { groups: [...(graph.layout?.groups ?? []), group] });
}

export function addNote(graph: Graph, note: Note): Graph {
  return withLayout(graph, { notes: [...(graph.layout?.notes ?? []), note] });
}

export function changeGroup(graph: Graph, id: string, change: Partial<Group>): Graph {
  return withLayout(graph, { groups: changed(graph.layout?.groups, id, change) });
}

export function changeNote(graph: Graph, id: string, change: Partial<Note>): Graph {
  return withLayout(graph, { notes: changed(graph.layout?.notes, id, change) });
}

/** Change what groups and notes have in common. */
export function changeBox(graph: Graph, kind: BoxKind, id: string, change: Partial<Omit<Box, "id">>): Graph {
  return kind === "groups" ? changeGroup(graph, id, change) : changeNote(graph, id, change);
}

export function moveBoxes(graph: Graph, kind: BoxKind, positions: ReadonlyMap<string, Point>): Graph {
  let left = graph;
  positions.forEach(({ x, y }, id) => (left = changeBox(left, kind, id, { x: Math.round(x), y: Math.round(y) })));
  return left;
}

export function removeBoxes(graph: Graph, kind: BoxKind, ids: ReadonlySet<string>): Graph {
  if (ids.size === 0) return graph;
  if (kind === "groups") return withLayout(graph, { groups: kept(graph.layout?.groups, ids) });
  return withLayout(graph, { notes: kept(graph.layout?.notes, ids) });
}

function changed<T extends Box>(boxes: readonly T[] | undefined, id: string, change: Partial<T>): T[] {
  return (boxes ?? []).map((each) => (each.id === id ? { ...each, ...change } : each));
}

function kept<T extends Box>(boxes: readonly T[] | undefined, gone: ReadonlySet<string>): T[] {
  return (boxes ?? []).filter((each) => !gone.has(each.id));
}
