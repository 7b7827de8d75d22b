// Jobs in a list, those that were sent together as one entry.
import type { Job } from "../api/jobs";
import { groupOf } from "./keys";

export interface JobGroup {
  readonly key: string;
  readonly jobs: readonly Job[];
}

/** Neighbours that were sent together stand together; the order stays. */
export function grouped(jobs: readonly Job[]): JobGroup[] {
  const found: { key: string; group: string | null; jobs: Job[] }[] = [];
  for (const job of jobs) {
    const group = groupOf(job);
    const last = found.at(-1);
    if (last && group !== null && last.group === group) last.jobs.push(job);
    else found.push({ key: job.id, group, jobs: [job] });
  }
  return found;
}

/** What a job is called. */
export function nameOf(job: Pick<Job, "label" | "title">): string {
  return job.label || job.title || "untitled";
}
