// Commands that give nodes new places.
import { type Alignment, aligned, arranged, distributed } from "../graph/arrange";
import { addGroup, groupAround, type Rect } from "../graph/boxes";
import { type Point, graphOf, withGraph } from "../graph/document";
import { linksOf } from "../graph/wiring";
import { activeTab, edit, select, settle, shownGraph } from "../store/editor";
import { moveNodes } from "../graph/edits";
import { groupId } from "./ids";
import { chosenNodes, insideGroups, place, rectOf, shownNodes } from "./placing";
import { useCanvas } from "./state";

function rects(nodes = chosenNodes()): Map<string, Rect> {
  return new Map(nodes.flatMap((each) => (each.type === "frame" ? [] : [[each.id, rectOf(each)]])));
}

function moveTo(label: string, positions: ReadonlyMap<string, Point>): void {
  glide();
  place(
    label,
    [...positions].map(([id, at]) => ({ id, at })),
  );
}

/** Let nodes glide to new places for a moment. */
function glide(): void {
  useCanvas.setState({ gliding: true });
  setTimeout(() => useCanvas.setState({ gliding: false }), 350);
}

/** Lay out the selected nodes from left to right, or all where fewer than two are. */
export async function arrange(): Promise<void> {
  const tab = activeTab();
  const links = linksOf(graphOf(tab.document, shownGraph(tab)));
  const chosen = chosenNodes();
  const nodes = new Map([...rects(chosen.length > 1 ? chosen : shownNodes())].filter(([id]) => !id.includes(":")));
  const positions = await arranged(nodes, links);
  if (activeTab().document === tab.document) moveTo("arrange", positions);
}

/** Give places to all nodes of a graph in which some have none. Nothing to undo, for nobody did it. */
export async function arrangePlaceless(): Promise<void> {
  const tab = activeTab();
  const name = shownGraph(tab);
  const graph = graphOf(tab.document, name);
  const nodes = new Map(
    shownNodes().flatMap((each) => (each.type === "node" ? [[each.data.name, { ...rectOf(each), x: 0, y: 0 }]] : [])),
  );
  const positions = await arranged(nodes, linksOf(graph));
  settle((document) => {
    const now = name === "" || document.graphs?.[name] ? graphOf(document, name) : undefined;
    // texts may have been written meanwhile; who moved or added a node meant something by it
    if (now?.layout !== graph.layout || !sameNames(now?.nodes, graph.nodes)) return document;
    return withGraph(document, name, (each) => moveNodes(each, positions));
  });
}

function sameNames(a: object = {}, b: object = {}): boolean {
  return Object.keys(a).join() === Object.keys(b).join();
}

export function align(to: Alignment): void {
  moveTo("align", aligned(rects(), to));
}

export function distribute(axis: "x" | "y"): void {
  moveTo("distribute", distributed(rects(), axis));
}

/** Move what is selected a little. */
export function nudge(x: number, y: number): void {
  const { selected } = activeTab();
  const ids = new Set([...selected, ...insideGroups(selected)]);
  const moved = shownNodes().filter((each) => ids.has(each.id));
  place(
    "move",
    moved.map(({ id, position }) => ({ id, at: { x: position.x + x, y: position.y + y } })),
    "nudge",
  );
}

export function groupSelected(): void {
  const { selected } = activeTab();
  const id = crypto.randomUUID().slice(0, 8);
  const chosen = shownNodes().filter((each) => selected.has(each.id));
  const group = groupAround(id, chosen.map(rectOf));
  if (!group) return;
  edit("group", (graph) => addGroup(graph, group));
  select([groupId(id)]);
  useCanvas.setState({ renaming: groupId(id) });
}
