// Checks workflows as they are edited and before they are run.
import { request } from "../api/http";
import type { components } from "../api/schema";
import type { Defect } from "../api/types";
import { type Document, EMPTY } from "../graph/document";
import { setDefects } from "../store/defects";
import { type Tab, activeTab, useEditor } from "../store/editor";
import { useRuns } from "../store/runs";

export type Preflight = Omit<components["schemas"]["Preflight"], "defects"> & { readonly defects: readonly Defect[] };

const PAUSE_MS = 500;

/** A part of a document that runs: moving things about does not change it. */
function isSame(a: Document, b: Document): boolean {
  return a.nodes === b.nodes && a.inputs === b.inputs && a.outputs === b.outputs && a.graphs === b.graphs;
}

/** The document as it is sent: the layout stays here. */
export function bare(document: Document): Document {
  if (!document.graphs) return { ...document, layout: {} };
  const graphs = Object.entries(document.graphs).map(([name, graph]) => [name, { ...graph, layout: {} }] as const);
  return { ...document, layout: {}, graphs: Object.fromEntries(graphs) };
}

/** What keeps a document from running, or from running up to some nodes. */
export async function defectsOf(
  document: Document,
  targets: readonly string[] | null = null,
  signal?: AbortSignal,
): Promise<readonly Defect[]> {
  const options = { json: { workflow: bare(document), targets }, ...(signal ? { signal } : {}) };
  return (await request<{ defects: readonly Defect[] }>("POST", "/validate", options)).defects;
}

export async function preflight(document: Document, targets: readonly string[] | null): Promise<Preflight> {
  return request<Preflight>("POST", "/preflight", { json: { workflow: bare(document), targets } });
}

/** Check the active tab whenever it has changed and nothing more was changed for a moment. Returns what ends it. */
export function checkWhileEditing(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let checking: AbortController | undefined;
  let last: Tab | undefined;

  const look = () => {
    const tab = activeTab();
    if (useRuns.getState().link !== "open") return;
    if (last && last.id === tab.id && isSame(last.document, tab.document)) return;
    last = tab;
    checking?.abort();
    if (tab.document === EMPTY || Object.keys(tab.document.nodes ?? {}).length === 0) return setDefects(tab.id, []);
    checking = new AbortController();
    // what cannot be checked now is checked after the next edit
    defectsOf(tab.document, null, checking.signal).then(
      (defects) => setDefects(tab.id, defects),
      () => (last = undefined),
    );
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  };
  const forget = [
    useEditor.subscribe((state, before) => {
      const tab = activeTab(state);
      const old = before.tabs.find((each) => each.id === before.active);
      if (tab.id !== old?.id || !isSame(tab.document, old.document)) soon();
    }),
    useRuns.subscribe((state, before) => state.link !== before.link && soon()),
  ];
  soon();
  return () => {
    clearTimeout(timer);
    checking?.abort();
    forget.forEach((each) => each());
  };
}
