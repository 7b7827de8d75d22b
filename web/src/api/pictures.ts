// Where pictures are: files of jobs, and values that wires carry.
import { path, request, url } from "./http";
import type { Schemas } from "./types";

export type Chart = Schemas["Chart"];

/** What is told of a value. */
export type Glimpse = Schemas["Glimpse"];

/** A file that a job wrote, to be shown, or to be saved. */
export function fileUrl(job: string, number: number, download = false): string {
  return url(path("jobs", job, "files", number), { download: download ? 1 : null });
}

export function smallUrl(job: string, number: number): string {
  return url(path("jobs", job, "files", number, "thumbnail"), { size: 256 });
}

export function isPicture(name: string): boolean {
  return /\.(png|webp|jpe?g)$/i.test(name);
}

/** A picture of a value; without a size as it is. */
export function valueUrl(key: string, output: string, item = 0, size?: number): string {
  return url(path("values", key, output, "picture"), { item, size });
}

/** What is told of a result, by output. */
export async function glimpses(key: string): Promise<Readonly<Record<string, Glimpse>>> {
  return (await request<{ outputs: Readonly<Record<string, Glimpse>> }>("GET", path("values", key))).outputs;
}
