// Where pictures are: files of jobs, and values that wires carry.
import { path, url } from "./http";

export function fileUrl(job: string, number: number, download = false): string {
  return url(path("jobs", job, "files", number), download ? { download: 1 } : {});
}

export function thumbnailUrl(job: string, number: number, size = 256): string {
  return url(path("jobs", job, "files", number, "thumbnail"), { size });
}
