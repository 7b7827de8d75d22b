// Client keys of jobs: which tab sent them, and which jobs were sent together.
import type { Job } from "../api/jobs";

const MINE = /^editor\/([^/]+)\/([^/#]+)#\d+$/;

/** The key of one of some jobs that a tab sends together. */
export function keyOf(tab: string, group: string, index: number): string {
  return `editor/${tab}/${group}#${index}`;
}

/** The tab that sent a job; null for one that came from elsewhere. */
export function tabOf(job: Pick<Job, "client_key">): string | null {
  return MINE.exec(job.client_key ?? "")?.[1] ?? null;
}

/** Jobs that were sent together have the same; null for one that was sent alone by somebody else. */
export function groupOf(job: Pick<Job, "client_key" | "batch">): string | null {
  return job.batch ?? MINE.exec(job.client_key ?? "")?.[2] ?? null;
}
