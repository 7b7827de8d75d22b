// What the server runs: jobs that are at work or that a tab shows, node by node, and the newest previews.
import { useMemo } from "react";
import { create } from "zustand";
import type { Link, Preview } from "../api/events";
import type { Job, JobEvent } from "../api/jobs";
import { placeIn, placeOf } from "../running/paths";
import { type NodeRun, type Run, advance, newRun, withJob } from "../running/run";
import { useEditor, useTab } from "./editor";

interface RunsState {
  readonly link: Link;
  /** The job that a tab shows, by the tab's id. */
  readonly shown: Readonly<Record<string, string>>;
  readonly runs: Readonly<Record<string, Run>>;
  /** URLs of the newest previews by job, by place. */
  readonly previews: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Runs that are over and that no tab shows; the oldest are forgotten. */
const KEPT = 12;

export const useRuns = create<RunsState>(() => ({ link: "connecting", shown: {}, runs: {}, previews: {} }));

/** Take in what happened; of jobs that nobody follows, only the beginning counts. */
export function takeEvents(events: readonly JobEvent[]): void {
  const byJob = Map.groupBy(events, (each) => each.job);
  const state = useRuns.getState();
  const runs = new Map(Object.entries(state.runs));
  const shown = new Set(Object.values(state.shown));
  for (const [job, happened] of byJob) {
    if (happened.some((each) => each.kind === "deleted")) runs.delete(job);
    else if (runs.has(job) || shown.has(job) || happened.some((each) => each.kind === "started")) {
      runs.set(job, advance(runs.get(job) ?? newRun(job), happened));
    }
  }
  const isGone = (job: string) => isOver(runs.get(job) ?? newRun(job)) || !runs.has(job);
  forgetOld(runs, shown);
  const previews = withoutPreviews(state.previews, [...byJob.keys()].filter(isGone));
  useRuns.setState({ runs: Object.fromEntries(runs), previews });
}

/** Take in what a job says itself. */
export function takeJobs(jobs: readonly Job[]): void {
  const { runs } = useRuns.getState();
  const known = jobs.filter((each) => each.id in runs);
  if (known.length === 0) return;
  const changed = Object.fromEntries(known.map((each) => [each.id, withJob(runs[each.id] as Run, each)]));
  useRuns.setState({ runs: { ...runs, ...changed } });
}

/** Take in all that is known of a job, so that it can be shown. */
export function takeRun(job: Job, events: readonly JobEvent[]): void {
  useRuns.setState(({ runs }) => {
    const newer = runs[job.id];
    const run = withJob(advance(newRun(job.id), events), job);
    return { runs: { ...runs, [job.id]: newer && newer.sequence > run.sequence ? newer : run } };
  });
}

export function takePreview({ job, node, picture }: Preview): void {
  const { previews, runs } = useRuns.getState();
  if (!runs[job] || isOver(runs[job])) return;
  const place = placeOf(node);
  const old = previews[job]?.[place];
  if (old) URL.revokeObjectURL(old);
  const next = { ...previews[job], [place]: URL.createObjectURL(picture) };
  useRuns.setState({ previews: { ...previews, [job]: next } });
}

/** Let a tab show a job; null for none. */
export function showRun(tab: string, job: string | null): void {
  useRuns.setState(({ shown }) => {
    const rest = Object.fromEntries(Object.entries(shown).filter(([each]) => each !== tab));
    return { shown: job === null ? rest : { ...rest, [tab]: job } };
  });
}

export function isOver(run: Run): boolean {
  return run.state === "done" || run.state === "failed" || run.state === "cancelled";
}

function forgetOld(runs: Map<string, Run>, shown: ReadonlySet<string>): void {
  const old = [...runs.values()].filter((each) => isOver(each) && !shown.has(each.job));
  old.sort((a, b) => (b.ended ?? 0) - (a.ended ?? 0));
  for (const { job } of old.slice(KEPT)) runs.delete(job);
}

function withoutPreviews(previews: RunsState["previews"], jobs: readonly string[]): RunsState["previews"] {
  const gone = jobs.filter((each) => each in previews);
  if (gone.length === 0) return previews;
  gone.forEach((job) => Object.values(previews[job] ?? {}).forEach((each) => URL.revokeObjectURL(each)));
  return Object.fromEntries(Object.entries(previews).filter(([job]) => !gone.includes(job)));
}

/** The run that the active tab shows. */
export function shownRun(state: RunsState = useRuns.getState(), tab = useEditor.getState().active): Run | undefined {
  return state.runs[state.shown[tab] ?? ""];
}

/** A part of the run that the active tab shows, for components. */
export function useShownRun<T>(select: (run: Run | undefined) => T): T {
  const tab = useEditor((state) => state.active);
  return useRuns((state) => select(shownRun(state, tab)));
}

/** A node of the canvas in the run that the active tab shows; of one that runs others, what those come to. */
export function useNodeRun(id: string): NodeRun | undefined {
  const place = useTab((tab) => placeIn(tab.trail, id));
  const own = useShownRun((run) => run?.nodes[place]);
  const group = useShownRun((run) => run?.groups[place]);
  return useMemo(() => (own && group?.inside ? { ...own, inside: group.inside } : (own ?? group)), [own, group]);
}

/** The newest preview of a node of the canvas in the run that the active tab shows. */
export function usePreview(id: string): string | undefined {
  const place = useTab((tab) => placeIn(tab.trail, id));
  const tab = useEditor((state) => state.active);
  return useRuns((state) => state.previews[state.shown[tab] ?? ""]?.[place]);
}

const NO_FILES: readonly number[] = [];

/** The numbers of the files that a node of the canvas wrote in the run that the active tab shows. */
export function useNodeFiles(id: string): readonly number[] {
  const written = useNodeRun(id)?.files;
  const files = useShownRun((run) => run?.files);
  return useMemo(
    () => (written && files ? files.flatMap((each, number) => (written.includes(each) ? [number] : [])) : NO_FILES),
    [written, files],
  );
}
