// The selected nodes as the commands of graphs need them.
import { type Document, type GraphName, type NodeEntry, graphOf } from "../graph/document";
import { CALLS } from "../graph/ports";
import { type Tab, activeTab, shownGraph } from "../store/editor";
import { locate, regionOf, within } from "./paths";

export interface Chosen {
  readonly graph: GraphName;
  readonly names: ReadonlySet<string>;
  /** The id of the region that they lie in; "" for the shown graph. */
  readonly region: string;
}

/** The selected nodes of one graph: that of the first one. */
export function chosenNodes(tab: Tab = activeTab()): Chosen {
  const shown = shownGraph(tab);
  const ids = [...tab.selected].filter((id) => isNode(tab.document, shown, id));
  const region = regionOf(ids[0] ?? "");
  const inside = ids.filter((id) => regionOf(id) === region);
  const graph = locate(tab.document, shown, within(region, ""))?.graph ?? shown;
  return { graph, region, names: new Set(inside.map((id) => id.slice(region ? region.length + 1 : 0))) };
}

function isNode(document: Document, shown: GraphName, id: string): boolean {
  const found = locate(document, shown, id);
  return found !== undefined && found.node in (graphOf(document, found.graph).nodes ?? {});
}

export interface ChosenCall {
  readonly graph: GraphName;
  readonly node: string;
  readonly region: string;
  readonly entry: NodeEntry;
}

/** The selected node, when it is the only one and runs a graph that is there. */
export function chosenCall(tab: Tab = activeTab()): ChosenCall | undefined {
  const { graph, names, region } = chosenNodes(tab);
  const [node] = names;
  const entry = node === undefined || names.size > 1 ? undefined : graphOf(tab.document, graph).nodes?.[node];
  if (node === undefined || !entry || !CALLS.has(entry.type)) return undefined;
  return tab.document.graphs?.[entry.graph ?? ""] ? { graph, node, region, entry } : undefined;
}
