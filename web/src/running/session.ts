// The page's part in what the server does: listens, keeps the lists fresh, and lets tabs follow their jobs.
import { listen } from "../api/events";
import { request } from "../api/http";
import { type Job, type JobEvent, eventsOf, getJob } from "../api/jobs";
import { useEditor } from "../store/editor";
import { readJobs, useJobs } from "../store/jobs";
import { isOver, showRun, takeEvents, takeJobs, takePreview, takeRun, useRuns } from "../store/runs";
import { tabOf } from "./keys";

const AGAIN_MS = 400;
const RETRY_MS = 2000;

/** Begin to follow the server. Returns what ends it. */
export function followServer(): () => void {
  const refresh = refresher();
  let stop: (() => void) | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isEnded = false;

  const begin = async () => {
    try {
      const { sequence } = await request<{ sequence: number }>("GET", "/system");
      await restore(await readJobs());
      if (isEnded) return;
      stop = listen(sequence, {
        onEvents: (events) => {
          takeEvents(events);
          if (events.some((each) => !each.kind.startsWith("node_") && !each.kind.startsWith("run_"))) refresh.soon();
        },
        onPreview: takePreview,
        onLink: (link) => {
          useRuns.setState({ link });
          if (link === "open") refresh.soon();
        },
      });
    } catch {
      useRuns.setState({ link: "lost" });
      if (!isEnded) timer = setTimeout(() => void begin(), RETRY_MS);
    }
  };
  void begin();
  const forget = [watchTabs(), watchPages(refresh.soon)];
  return () => {
    isEnded = true;
    clearTimeout(timer);
    refresh.end();
    stop?.();
    forget.forEach((each) => each());
  };
}

/** Show the runs that went on while the page was away. */
async function restore(jobs: readonly Job[]): Promise<void> {
  for (const { id } of useEditor.getState().tabs) adopt(id, jobs);
  const shown = Object.values(useRuns.getState().shown);
  const wanted = new Set([...shown, ...jobs.filter((each) => each.state === "running").map((each) => each.id)]);
  await Promise.all([...wanted].map(loadRun));
}

/** Let a tab that shows nothing show its newest job. */
function adopt(tab: string, jobs: readonly Job[]): void {
  if (useRuns.getState().shown[tab]) return;
  const own = jobs.filter((each) => tabOf(each) === tab);
  const found = own.find((each) => each.state === "running") ?? own.find((each) => each.started) ?? own[0];
  if (found) showRun(tab, found.id);
}

/** Read what happened to a job, unless it is known. */
export async function loadRun(id: string): Promise<void> {
  if (useRuns.getState().runs[id]) return;
  const [job, events] = await Promise.all([getJob(id).catch(() => null), eventsOf(id).catch((): JobEvent[] => [])]);
  if (job) takeRun(job, events);
}

/** Reads the lists again some time after something happened, one reading at a time. */
function refresher() {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const read = async () => {
    try {
      const jobs = await readJobs();
      takeJobs(jobs);
      follow(jobs);
    } catch {
      // the link tells when the server is back, and then the lists are read again
    } finally {
      timer = undefined;
    }
  };
  return {
    soon: () => void (timer ??= setTimeout(() => void read(), AGAIN_MS)),
    end: () => clearTimeout(timer),
  };
}

/** Tabs go on to their job that runs now. */
function follow(jobs: readonly Job[]): void {
  const { runs, shown } = useRuns.getState();
  for (const job of jobs.filter((each) => each.state === "running")) {
    const tab = tabOf(job);
    if (tab === null || shown[tab] === job.id) continue;
    const old = runs[shown[tab] ?? ""];
    if (!old || isOver(old) || old.state !== "running") {
      showRun(tab, job.id);
      void loadRun(job.id);
    }
  }
}

/** Tabs that appear (also after a reload) show their newest job. */
function watchTabs(): () => void {
  return useEditor.subscribe((state, before) => {
    if (state.tabs.length === before.tabs.length && state.active === before.active) return;
    const { running, queue, over } = useJobs.getState();
    const known = [...running, ...(queue?.jobs ?? []), ...over];
    for (const { id } of state.tabs) {
      adopt(id, known);
      const job = useRuns.getState().shown[id];
      if (job) void loadRun(job);
    }
  });
}

/** Lists are read again when more of them is to be shown. */
function watchPages(refresh: () => void): () => void {
  return useJobs.subscribe((state, before) => {
    if (state.waitingShown !== before.waitingShown || state.overShown !== before.overShown) refresh();
  });
}
