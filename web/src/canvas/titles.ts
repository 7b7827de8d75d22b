// How nodes are called on the canvas.
import type { NodeEntry } from "../graph/document";
import { labelOf } from "../graph/labels";
import { CALLS, type Ports } from "../graph/ports";

/** The title that was given to a node, or a short one made from its type. */
export function nodeTitle(entry: NodeEntry, ports: Ports | undefined): string {
  if (entry.title) return entry.title;
  return ports && CALLS.has(entry.type) ? ports.title : labelOf(entry.type);
}
