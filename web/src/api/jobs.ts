// Jobs and the queue, as the server tells them.
import type { Document } from "../graph/document";
import { path, request } from "./http";
import type { components } from "./schema";
import type { Json } from "./types";

type Schemas = components["schemas"];

export type Job = Schemas["Job"];
export type JobState = Job["state"];
export type JobEvent = Schemas["JobEvent"];
export type Queue = Schemas["Queue"];

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

export type Wish = "cancel" | "pause" | "resume" | "retry";

export type Placement = { readonly to: "first" | "last" } | { readonly before: string } | { readonly after: string };

export const submitJob = (json: JobRequest) => request<Job>("POST", "/jobs", { json });
export const listJobs = (query: JobQuery) => request<Schemas["JobPage"]>("GET", "/jobs", { query: { ...query } });
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
    const { events, last } = await request<Schemas["Events"]>("GET", path("jobs", id, "events"), {
      query: { after, limit: 5000 },
    });
    found.push(...events);
    if (events.length < 5000) return found;
    after = last;
  }
}
