// Sends workflows to the queue, and asks things of it.
import { ApiError } from "../api/http";
import { type Job, askOfJob, askOfQueue, submitJob } from "../api/jobs";
import type { Defect } from "../api/types";
import { type Document, graphOf } from "../graph/document";
import { setDefects } from "../store/defects";
import { activeTab, changeTab, shownGraph, useEditor } from "../store/editor";
import { readJobs, useJobs } from "../store/jobs";
import { showPanel } from "../store/layout";
import { notify, notifyError } from "../store/notices";
import { useRunOptions } from "../store/runOptions";
import { drawSeeds } from "../store/seeds";
import { isOver, showRun, shownRun, takeJobs, takeRun } from "../store/runs";
import { defectsOf } from "./checking";
import { keyOf } from "./keys";

/** Run the active tab's workflow, or only what these nodes need. */
export async function run(targets: readonly string[] | null = null): Promise<void> {
  const tab = activeTab();
  const { count, isSending } = useRunOptions.getState();
  if (isSending) return;
  if (Object.keys(tab.document.nodes ?? {}).length === 0) return notify("there is nothing to run yet; add a node");
  useRunOptions.setState({ isSending: true });
  const group = crypto.randomUUID();
  let document = tab.document;
  try {
    const defects = await defectsOf(document, targets);
    if (defects.length > 0) return showDefects(tab.id, defects);
    for (let index = 0; index < count; index += 1) {
      const next = drawSeeds(tab.id, document);
      if (index > 0 && next === document) {
        notify("One run was queued: the others would give the same, since no seed changes from run to run");
        break;
      }
      document = next;
      const job = await send(document, targets, keyOf(tab.id, group, index), tab.file?.name ?? "");
      keepSeeds(tab.id, tab.document, document);
      if (index === 0) show(tab.id, job);
    }
  } catch (error) {
    refused(tab.id, error);
  } finally {
    useRunOptions.setState({ isSending: false });
    void refresh();
  }
}

/** Names of nodes as targets: of the workflow itself; a node inside a graph is reached by the node that runs it. */
export function targetsOf(names: Iterable<string>): readonly string[] {
  const tab = activeTab();
  const outer = tab.trail[0]?.node;
  if (outer !== undefined) return [outer];
  const outermost = [...names].map((each) => each.split("/")[0] ?? each);
  return [...new Set(outermost)].filter((each) => each in (graphOf(tab.document, "").nodes ?? {}));
}

export function runUpTo(node: string): void {
  void run(targetsOf([node]));
}

export function runSelected(): void {
  const names = targetsOf(activeTab().selected);
  if (names.length > 0) void run(names);
  else notify("select the nodes whose results you want");
}

async function send(workflow: Document, targets: readonly string[] | null, key: string, label: string): Promise<Job> {
  const request = { workflow, targets, client_key: key, label };
  try {
    return await submitJob(request);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "unreachable") throw error;
    return await submitJob(request); // the key keeps it from being queued twice
  }
}

/** The seeds that were sent stand in the document, without a step of history. */
function keepSeeds(tab: string, sent: Document, document: Document): void {
  changeTab(tab, (each) =>
    each.document === sent || each.document.nodes === sent.nodes ? { ...each, document } : each,
  );
}

function show(tab: string, job: Job): void {
  const now = shownRun(undefined, tab);
  if (now && !isOver(now) && now.state === "running") return;
  takeRun(job, []);
  showRun(tab, job.id);
}

function refused(tab: string, error: unknown): void {
  if (error instanceof ApiError && error.defects.length > 0) showDefects(tab, error.defects);
  else notifyError("the workflow was not queued", error);
}

function showDefects(tab: string, defects: readonly Defect[]): void {
  setDefects(tab, defects);
  showPanel("right", "problems");
  notify(
    `Nothing was queued: ${defects.length === 1 ? "there is a problem" : `there are ${defects.length} problems`}`,
    "error",
  );
}

export async function refresh(): Promise<void> {
  await readJobs().then(takeJobs, () => undefined);
}

/** Ask something of the server and read the lists again; what it refuses is told. */
export async function ask(what: string, asking: () => Promise<unknown>): Promise<void> {
  try {
    await asking();
  } catch (error) {
    notifyError(what, error);
  }
  await refresh();
}

/** Cancel the job that the active tab shows, or else the one that runs. */
export function cancelCurrent(): void {
  const run = shownRun(undefined, useEditor.getState().active);
  const id = run && !isOver(run) ? run.job : useJobs.getState().running[0]?.id;
  if (id === undefined) return notify("nothing runs");
  void ask("the job was not cancelled", () => askOfJob(id, "cancel"));
}

export function toggleQueue(): void {
  const isPaused = useJobs.getState().queue?.paused ?? false;
  void ask("the queue did not change", () => askOfQueue(isPaused ? "resume" : "pause"));
}

export function hasTargets(): boolean {
  const tab = activeTab();
  return tab.selected.size > 0 && graphOf(tab.document, shownGraph(tab)).nodes !== undefined;
}
