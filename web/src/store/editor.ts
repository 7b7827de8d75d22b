// The open workflows: one tab each, with its history. Documents are values, so a step of history is a document.
import { create } from "zustand";
import { type Document, type Graph, type GraphName, EMPTY } from "../graph/document";
import { changeGraph } from "../graph/interface";

/** A document that was, and what was done to it. */
interface Step {
  readonly label: string;
  readonly document: Document;
  readonly graph: GraphName;
}

/** How a graph was entered: the node that runs it, in the graph before. */
export interface Crumb {
  readonly graph: GraphName;
  readonly node: string;
}

export interface Tab {
  readonly id: string;
  /** Where it is saved on the server; null for one that was never saved. */
  readonly file: { readonly name: string; readonly version: number } | null;
  readonly document: Document;
  /** What the saved file holds. */
  readonly saved: Document;
  readonly past: readonly Step[];
  readonly future: readonly Step[];
  /** The graph that is shown, and how one came there; empty for the workflow itself. */
  readonly trail: readonly Crumb[];
  /** Selected things of the shown graph by their ids on the canvas. */
  readonly selected: ReadonlySet<string>;
  /** Rises when positions on the canvas must be taken from the document again. */
  readonly revision: number;
}

export interface EditOptions {
  /** Edits of the same kind that follow each other within a second are one step of history. */
  readonly merge?: string;
  /** The graph that is changed; by default the one that is shown. */
  readonly graph?: GraphName;
}

interface EditorState {
  readonly tabs: readonly Tab[];
  readonly active: string;
}

const STEPS = 200;
const MERGE_MS = 1000;

export const useEditor = create<EditorState>(() => {
  const first = newTab(EMPTY);
  return { tabs: [first], active: first.id };
});

function newTab(document: Document, file: Tab["file"] = null): Tab {
  const id = crypto.randomUUID();
  const empty = { past: [], future: [], trail: [], selected: new Set<string>(), revision: 0 };
  return { id, file, document, saved: document, ...empty };
}

export function activeTab(state: EditorState = useEditor.getState()): Tab {
  const found = state.tabs.find((each) => each.id === state.active);
  if (!found) throw new Error("no tab is open");
  return found;
}

export function shownGraph(tab: Tab): GraphName {
  return tab.trail.at(-1)?.graph ?? "";
}

/** A part of the active tab, for components. */
export function useTab<T>(select: (tab: Tab) => T): T {
  return useEditor((state) => select(activeTab(state)));
}

export function changeTab(id: string, change: (tab: Tab) => Tab): void {
  useEditor.setState((state) => ({ tabs: state.tabs.map((each) => (each.id === id ? change(each) : each)) }));
}

/** Whether nobody has done anything in a tab yet. */
export function isUntouched(tab: Tab): boolean {
  return tab.file === null && tab.past.length === 0 && Object.keys(tab.document.nodes ?? {}).length === 0;
}

/** Open a document in a new tab and show it; an untouched empty tab gives way. */
export function openTab(document: Document, file: Tab["file"] = null): Tab {
  const opened = newTab(document, file);
  useEditor.setState(({ tabs }) => ({
    tabs: [...tabs.filter((each) => !isUntouched(each)), opened],
    active: opened.id,
  }));
  return opened;
}

export function closeTab(id: string): void {
  useEditor.setState(({ tabs, active }) => {
    const at = tabs.findIndex((each) => each.id === id);
    const left = tabs.filter((each) => each.id !== id);
    if (left.length === 0) left.push(newTab(EMPTY));
    const next = left[Math.min(at, left.length - 1)] as Tab;
    return { tabs: left, active: active === id ? next.id : active };
  });
}

export function showTab(id: string): void {
  useEditor.setState({ active: id });
}

let lastEdit = { key: "", time: 0 };

/** Change the active tab's document as one step that can be undone. */
export function editDocument(label: string, change: (document: Document) => Document, merge = ""): void {
  const tab = activeTab();
  const document = change(tab.document);
  if (document === tab.document) return;
  const now = performance.now();
  const key = merge && `${tab.id} ${merge}`;
  const isSame = key !== "" && key === lastEdit.key && now - lastEdit.time < MERGE_MS && tab.future.length === 0;
  lastEdit = { key, time: now };
  const step: Step = { label, document: tab.document, graph: shownGraph(tab) };
  const past = isSame && tab.past.length > 0 ? tab.past : [...tab.past, step].slice(-STEPS);
  changeTab(tab.id, (each) => ({ ...each, document, past, future: [] }));
}

/** Change one graph of the active tab's document as one step that can be undone. */
export function edit(label: string, change: (graph: Graph) => Graph, options: EditOptions = {}): void {
  const graph = options.graph ?? shownGraph(activeTab());
  editDocument(label, (document) => changeGraph(document, graph, change), options.merge);
}

/** Make one step of all edits that a function does. */
export function asOneStep<T>(run: () => T): T {
  const before = activeTab();
  const found = run();
  const after = activeTab();
  const first = after.past[before.past.length];
  if (after.id === before.id && first && after.past.length > before.past.length + 1) {
    changeTab(after.id, (each) => ({ ...each, past: [...before.past, first] }));
  }
  lastEdit = { key: "", time: 0 };
  return found;
}

/** Change the document in what nobody did, such as places for nodes that have none: no step, and nothing to save. */
export function settle(change: (document: Document) => Document): void {
  changeTab(activeTab().id, (tab) => {
    const document = change(tab.document);
    const saved = tab.saved === tab.document ? document : change(tab.saved);
    const past = tab.past.map((step) => ({ ...step, document: change(step.document) }));
    return { ...tab, document, saved, past, revision: tab.revision + 1 };
  });
}

export function undo(): void {
  travel("past", "future");
}

export function redo(): void {
  travel("future", "past");
}

function travel(from: "past" | "future", to: "past" | "future"): void {
  const tab = activeTab();
  const step = tab[from].at(-1);
  if (!step) return;
  lastEdit = { key: "", time: 0 };
  const here: Step = { label: step.label, document: tab.document, graph: shownGraph(tab) };
  const trail = tab.trail.filter((each) => each.graph in (step.document.graphs ?? {}));
  changeTab(tab.id, (each) => ({
    ...each,
    document: step.document,
    trail: trail.length === each.trail.length ? each.trail : [],
    [from]: each[from].slice(0, -1),
    [to]: [...each[to], here],
    revision: each.revision + 1,
  }));
}

export function select(ids: Iterable<string>): void {
  changeTab(activeTab().id, (each) => ({ ...each, selected: new Set(ids) }));
}

/** Show the graph that a node of the shown graph runs. */
export function enter(crumb: Crumb): void {
  changeTab(activeTab().id, (each) => ({ ...each, trail: [...each.trail, crumb], selected: new Set<string>() }));
}

/** Show the graph at this depth of the trail; 0 is the workflow itself. */
export function leaveTo(depth: number): void {
  changeTab(activeTab().id, (each) => ({ ...each, trail: each.trail.slice(0, depth), selected: new Set<string>() }));
}
