// Names of nodes as events tell them: "call/inner" inside a graph, "loop[2]/inner" in a round of a loop.
import { type Document, type GraphName, graphOf } from "../graph/document";
import type { Crumb } from "../store/editor";

/** The name without the numbers of rounds: one place for all rounds. */
export function placeOf(name: string): string {
  return name.replace(/\[\d+\](?=\/)/g, "");
}

/** The number of the innermost round that a name tells; null outside of loops. */
export function roundOf(name: string): number | null {
  const found = [...name.matchAll(/\[(\d+)\]\//g)].at(-1);
  return found ? Number(found[1]) : null;
}

/** The places of the nodes around a place, the innermost first. */
export function around(place: string): string[] {
  const found: string[] = [];
  for (let at = place.lastIndexOf("/"); at > 0; at = place.lastIndexOf("/", at - 1)) found.push(place.slice(0, at));
  return found;
}

/** The place of a node of the canvas, whose id tells the open nodes around it, given how the shown graph was entered. */
export function placeIn(trail: readonly Crumb[], id: string): string {
  return trail.map((each) => `${each.node}/`).join("") + id;
}

/** How to enter a graph from another one, by the first nodes that lead there; null where none do. */
export function wayTo(document: Document, from: GraphName, to: GraphName, seen = new Set<GraphName>()): Crumb[] | null {
  if (from === to) return [];
  if (seen.has(from) || (from !== "" && !document.graphs?.[from])) return null;
  seen.add(from);
  for (const [node, { graph }] of Object.entries(graphOf(document, from).nodes ?? {})) {
    if (graph === undefined) continue;
    const rest = wayTo(document, graph, to, seen);
    if (rest) return [{ graph, node }, ...rest];
  }
  return null;
}
