// Jobs and the queue, as the server tells them.
import type { Document } from "../graph/document";
import { path, request } from "./http";
import type { Defect, Json } from "./types";

export type JobState = "queued" | "running" | "paused" | "done" | "failed" | "cancelled";

export interface JobFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface JobError {
  readonly kind: string;
  readonly message: string;
  readonly node: string;
  readonly defects: readonly Defect[];
}

export interface Job {
  readonly id: string;
  readonly number: number;
  readonly state: JobState;
  readonly wish: "cancel" | "pause" | null;
  readonly label: string;
  readonly batch: string | null;
  readonly client_key: string | null;
  readonly workflow: string;
  readonly title: string;
  readonly inputs: Readonly<Record<string, Json>>;
  readonly priority: number;
  readonly losses: number;
  readonly created: string;
  readonly started: string | null;
  readonly finished: string | null;
  readonly seconds: number | null;
  readonly error: JobError | null;
  readonly outputs: Readonly<Record<string, Json>>;
  readonly files: readonly JobFile[];
  readonly ran: number;
  readonly cached: number;
}

export interface JobPage {
  readonly jobs: readonly Job[];
  readonly before: number | null;
}

export interface JobEvent {
  readonly sequence: number;
  readonly job: string;
  readonly kind: string;
  readonly time: string;
  readonly data: Readonly<Record<string, Json>>;
}

export interface Queue {
  readonly paused: boolean;
  readonly jobs: readonly Job[];
  readonly counts: Readonly<Record<JobState, number>>;
}

export interface JobRequest {
  readonly workflow: Document;
  readonly inputs?: Readonly<Record<string, Json>>;
  readonly targets?: readonly string[] | null;
  readonly label?: string;
  readonly client_key?: string;
}

export interface JobQuery {
  readonly states?: readonly JobState[];
  readonly batch?: string;
  readonly workflow?: string;
  readonly search?: string;
  readonly before?: number | null;
  readonly limit?: number;
}

interface Events {
  readonly events: readonly JobEvent[];
  readonly last: number;
}

export type Wish = "cancel" | "pause" | "resume" | "retry";

export type Placement = { readonly to: "first" | "last" } | { readonly before: string } | { readonly after: string };

export const submitJob = (json: JobRequest) => request<Job>("POST", "/jobs", { json });
export const listJobs = (query: JobQuery) => request<JobPage>("GET", "/jobs", { query: { ...query } });
export const getJob = (id: string) => request<Job>("GET", path("jobs", id));
export const getRequest = (id: string) => request<JobRequest>("GET", path("jobs", id, "request"));
export const askOfJob = (id: string, wish: Wish) => request<Job>("POST", path("jobs", id, wish));
export const moveJob = (id: string, json: Placement) => request<Job>("POST", path("jobs", id, "move"), { json });
export const deleteJob = (id: string) => request<Job>("DELETE", path("jobs", id));
export const getQueue = (limit: number) => request<Queue>("GET", "/queue", { query: { limit } });
export const askOfQueue = (wish: "pause" | "resume") => request<Queue>("POST", path("queue", wish));
export const pruneJobs = (json: { readonly keep: number }) =>
  request<{ jobs: number }>("POST", "/history/prune", { json });

/** All that happened to a job so far. */
export async function eventsOf(id: string): Promise<JobEvent[]> {
  const found: JobEvent[] = [];
  for (let after = 0; ;) {
    const { events, last } = await request<Events>("GET", path("jobs", id, "events"), {
      query: { after, limit: 5000 },
    });
    found.push(...events);
    if (events.length < 5000) return found;
    after = last;
  }
}
