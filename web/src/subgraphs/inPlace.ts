// Opening nodes that run a graph in place.
import { NODE_WIDTH, estimatedHeight } from "../canvas/rows";
import { useCanvas } from "../canvas/state";
import { arranged } from "../graph/arrange";
import { type Document, type GraphName, type Point, graphOf, withGraph } from "../graph/document";
import { moveNodes, tidy } from "../graph/edits";
import { portsOf } from "../graph/ports";
import { linksOf } from "../graph/wiring";
import { useDefinitions } from "../store/definitions";
import { activeTab, editDocument, shownGraph } from "../store/editor";
import { locate } from "./paths";
import { withRoom } from "./room";

/** Draw a node that runs a graph open in place, or closed again; nodes inside that nobody placed are arranged. */
export async function toggleOpen(id: string): Promise<void> {
  const { document } = activeTab();
  const shown = shownGraph(activeTab());
  const found = locate(document, shown, id);
  const inner = found && graphOf(document, found.graph).nodes?.[found.node]?.graph;
  if (!found || inner === undefined) return;
  const places = await placesInside(document, inner);
  if (activeTab().document !== document) return;
  editDocument("open", () => {
    const placed = places ? withGraph(document, inner, (each) => moveNodes(each, places)) : document;
    const next = toggled(placed, found.graph, found.node);
    return withRoom(placed, next, shown, id, useDefinitions.getState().byId, measured);
  });
}

function toggled(document: Document, graph: GraphName, node: string): Document {
  return withGraph(document, graph, (each) => {
    const old = each.layout?.open ?? [];
    const open = old.includes(node) ? old.filter((name) => name !== node) : [...old, node];
    return { ...each, layout: tidy({ ...each.layout, open: open.length > 0 ? open : undefined }) };
  });
}

function measured(at: string): { readonly width: number; readonly height: number } | undefined {
  const { width, height } = useCanvas.getState().flow?.getNode(at)?.measured ?? {};
  return width !== undefined && height !== undefined ? { width, height } : undefined;
}

/** Where the nodes of a graph go that has places for none; they are not drawn yet, so their sizes are estimated. */
async function placesInside(document: Document, name: GraphName): Promise<Map<string, Point> | undefined> {
  const graph = document.graphs?.[name];
  const nodes = Object.entries(graph?.nodes ?? {});
  if (!graph || nodes.length === 0 || nodes.some(([node]) => graph.layout?.nodes?.[node])) return undefined;
  const definitions = useDefinitions.getState().byId;
  const rects = nodes.map(([node, entry]) => {
    const height = Math.ceil(estimatedHeight(portsOf(document, entry, definitions), false));
    return [node, { x: 0, y: 0, width: NODE_WIDTH, height }] as const;
  });
  return arranged(new Map(rects), linksOf(graph));
}
