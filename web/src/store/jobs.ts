// The queue and the history as pages of the server's lists; read again when something happened.
import { create } from "zustand";
import { type Job, type JobState, type Queue, getQueue, listJobs } from "../api/jobs";

interface JobsState {
  readonly queue: Queue | null;
  readonly running: readonly Job[];
  /** Jobs that are over, the newest first, as many as were asked for. */
  readonly over: readonly Job[];
  readonly hasMore: boolean;
  /** How many waiting jobs and how many finished ones are shown at most. */
  readonly waitingShown: number;
  readonly overShown: number;
}

const PAGE = 60;
const LARGEST = 1000;

export const useJobs = create<JobsState>(() => ({
  queue: null,
  running: [],
  over: [],
  hasMore: false,
  waitingShown: PAGE,
  overShown: PAGE,
}));

/** Read the lists anew; returns every job that was read. */
export async function readJobs(): Promise<readonly Job[]> {
  const { waitingShown, overShown } = useJobs.getState();
  const [queue, running, over] = await Promise.all([
    getQueue(waitingShown),
    listJobs({ states: ["running"], limit: 50 }),
    listJobs({ states: ["done", "failed", "cancelled"], limit: overShown }),
  ]);
  useJobs.setState({ queue, running: running.jobs, over: over.jobs, hasMore: over.before !== null });
  return [...running.jobs, ...queue.jobs, ...over.jobs];
}

export function showMore(list: "waitingShown" | "overShown"): void {
  useJobs.setState((state) => ({ [list]: Math.min(LARGEST, state[list] + PAGE) }));
}

/** How many jobs wait. */
export function waiting(queue: Queue | null): number {
  return queue ? countOf(queue, "queued", "paused") : 0;
}

/** How many jobs are in these states. */
export function countOf(queue: Queue, ...states: readonly JobState[]): number {
  return states.reduce((sum, each) => sum + (queue.counts[each] ?? 0), 0);
}
