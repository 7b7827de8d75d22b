// Copying and pasting parts of graphs as text, through the clipboard of the system.
import { removeBoxes } from "../graph/boxes";
import { graphOf, withGraph } from "../graph/document";
import { type Fragment, type PasteOptions, fragmentOf, paste, readFragment } from "../graph/fragment";
import { isText } from "../shell/commands";
import { activeTab, editDocument, select, shownGraph } from "../store/editor";
import { notify } from "../store/notices";
import { inRegion, regionAt } from "../subgraphs/dropNodes";
import { locate, within } from "../subgraphs/paths";
import { chosenNodes } from "../subgraphs/selection";
import { removeThings } from "../subgraphs/removing";
import { chosenOf, groupId, noteId } from "./ids";
import { insideGroups } from "./placing";
import { pointerOnCanvas } from "./state";

/** What is selected, with what lies in selected groups; undefined where it is nothing that can be copied. */
export function copied(): Fragment | undefined {
  const tab = activeTab();
  const { graph, names, region } = chosenNodes(tab);
  if (region) return fragmentOf(tab.document, graph, { nodes: names, groups: new Set(), notes: new Set() });
  const chosen = chosenOf([...tab.selected, ...insideGroups(tab.selected)]);
  if (chosen.nodes.size + chosen.groups.size + chosen.notes.size === 0) return undefined;
  return fragmentOf(tab.document, shownGraph(tab), chosen);
}

export function pasteFragment(fragment: Fragment, options: Omit<PasteOptions, "newId">, label = "paste"): void {
  const newId = () => crypto.randomUUID().slice(0, 8);
  let made: readonly string[] = [];
  const region = options.at ? regionAt(options.at) : chosenNodes().region;
  const at = options.at && inRegion(region, options.at);
  editDocument(label, (document) => {
    const shown = shownGraph(activeTab());
    const graph = locate(document, shown, within(region, ""))?.graph ?? shown;
    const pasted = paste(document, graph, fragment, { ...options, ...(at && { at }), newId });
    made = [...pasted.nodes].map((name) => within(region, name));
    if (!region) made = [...made, ...pasted.groups.map(groupId), ...pasted.notes.map(noteId)];
    return pasted.document;
  });
  select(made);
}

export function duplicate(): void {
  const fragment = copied();
  if (fragment) pasteFragment(fragment, { outside: true, beside: 40 }, "duplicate");
}

/** Take away what is selected; the nodes in a group stay. */
export function removeSelected(label = "delete"): void {
  const { nodes, groups, notes, wires } = chosenOf(activeTab().selected);
  const shown = shownGraph(activeTab());
  editDocument(label, (document) =>
    withGraph(removeThings(document, shown, nodes, wires), shown, (graph) =>
      removeBoxes(removeBoxes(graph, "groups", groups), "notes", notes),
    ),
  );
  select([]);
}

export async function copyByMenu(): Promise<void> {
  const fragment = copied();
  if (fragment) await navigator.clipboard.writeText(asText(fragment));
}

export async function pasteByMenu(): Promise<void> {
  const at = pointerOnCanvas();
  const fragment = readFragment(await navigator.clipboard.readText());
  if (fragment) pasteFragment(fragment, { at });
  else notify("The clipboard holds no part of a graph");
}

function asText(fragment: Fragment): string {
  return JSON.stringify(fragment, null, 2);
}

/** Listen to the browser's own clipboard events; the function that ends it is returned. */
export function listenToClipboard(): () => void {
  let isShifted = false;
  const onKey = (event: KeyboardEvent) => (isShifted = event.shiftKey);
  const isElsewhere = (event: Event) =>
    isText(event.target) || event.defaultPrevented || !window.getSelection()?.isCollapsed;
  const onCopy = (event: ClipboardEvent) => {
    const fragment = isElsewhere(event) ? undefined : copied();
    if (!fragment) return;
    event.clipboardData?.setData("text/plain", asText(fragment));
    event.preventDefault();
    if (event.type === "cut") removeSelected("cut");
  };
  const onPaste = (event: ClipboardEvent) => {
    if (isText(event.target) || event.defaultPrevented) return;
    const fragment = readFragment(event.clipboardData?.getData("text/plain") ?? "");
    if (!fragment) return;
    event.preventDefault();
    pasteFragment(fragment, { at: pointerOnCanvas(), outside: isShifted });
  };
  window.addEventListener("keydown", onKey, true);
  window.addEventListener("copy", onCopy);
  window.addEventListener("cut", onCopy);
  window.addEventListener("paste", onPaste);
  return () => {
    window.removeEventListener("keydown", onKey, true);
    window.removeEventListener("copy", onCopy);
    window.removeEventListener("cut", onCopy);
    window.removeEventListener("paste", onPaste);
  };
}

/** Select everything of the shown graph. */
export function selectAll(): void {
  const tab = activeTab();
  const { nodes, layout } = graphOf(tab.document, shownGraph(tab));
  select([
    ...Object.keys(nodes ?? {}),
    ...(layout?.groups ?? []).map((each) => groupId(each.id)),
    ...(layout?.notes ?? []).map((each) => noteId(each.id)),
  ]);
}
