// What the commands of graphs and loops do to the open document.
import { type Document, type GraphName, type Point, graphOf } from "../graph/document";
import { omitted } from "../graph/border";
import { ownGraph } from "../graph/library";
import { makeForEach, makeRepeat } from "../graph/loops";
import { useCanvas } from "../canvas/state";
import { type Made, makeSubgraph, unpack } from "../graph/subgraphs";
import { useDefinitions } from "../store/definitions";
import { activeTab, editDocument, enter, leaveTo, select, shownGraph } from "../store/editor";
import { notify } from "../store/notices";
import { INPUTS, OUTPUTS } from "./ends";
import { besides } from "./endsModel";
import { locate, within } from "./paths";
import { chosenCall, chosenNodes } from "./selection";

type Making = (document: Document, graph: GraphName, names: ReadonlySet<string>) => Made;

const definitions = () => useDefinitions.getState().byId;

function make(label: string, making: Making): void {
  const { document } = activeTab();
  const { graph, names, region } = chosenNodes();
  if (names.size === 0) return;
  const made = making(document, graph, names);
  editDocument(label, () => made.document);
  select([within(region, made.node)]);
  const left = graphOf(made.document, graph).nodes ?? {};
  const more = Object.keys(graphOf(document, graph).nodes ?? {}).filter((name) => !(name in left) && !names.has(name));
  if (more.length > 0) notify(`What lies between them came along: ${more.join(", ")}.`);
}

export function makeGraph(): void {
  make("make a graph", (document, graph, names) => makeSubgraph(document, graph, names, definitions()));
}

export function repeatThese(): void {
  make("repeat", (document, graph, names) => makeRepeat(document, graph, names, definitions()));
}

/** inputs: what the loop goes through, each `node.input` of the selection. */
export function forEachOf(inputs: readonly string[]): void {
  make("for each", (document, graph, names) => makeForEach(document, graph, names, inputs, definitions()));
}

export function unpackChosen(): void {
  const call = chosenCall();
  if (!call) return;
  const { document, nodes } = unpack(activeTab().document, call.graph, call.node);
  editDocument("unpack", () => document);
  select([...nodes].map((name) => within(call.region, name)));
}

/** Show the graph that a node of the canvas runs. */
export function enterNode(id: string): void {
  const tab = activeTab();
  const way = id.split("/");
  const crumbs = way.map((node, depth) => {
    const found = locate(tab.document, shownGraph(tab), within(way.slice(0, depth + 1).join("/"), ""));
    return found && { graph: found.graph, node };
  });
  if (crumbs.every((each) => each !== undefined)) crumbs.forEach((each) => enter(each));
}

export function enterChosen(): void {
  const call = chosenCall();
  if (call) enterNode(within(call.region, call.node));
}

/** Show the graph around the shown one, with the node selected that one came through. */
export function leave(): void {
  const { trail } = activeTab();
  const last = trail.at(-1);
  if (!last) return;
  leaveTo(trail.length - 1);
  select([last.node]);
}

export function makeIndependent(graph: GraphName, node: string): void {
  editDocument("make independent", (document) => ownGraph(document, graph, node));
}

/** Draw the declared inputs and outputs of the workflow itself on the canvas, or hide them again. */
export function toggleEnds(): void {
  const { flow } = useCanvas.getState();
  editDocument("inputs and outputs", (document) => {
    const nodes: Record<string, Point> = omitted(document.layout?.nodes, INPUTS, OUTPUTS);
    if (!document.layout?.nodes?.[INPUTS]) {
      for (const name of [INPUTS, OUTPUTS] as const) nodes[name] = besides(flow?.getNodes() ?? [], name);
    }
    return { ...document, layout: { ...document.layout, nodes } };
  });
}
