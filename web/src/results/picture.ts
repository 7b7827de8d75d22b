// Pictures that can be looked at: files of jobs, and values on wires.
import type { Job } from "../api/jobs";
import { fileUrl, isPicture, smallUrl } from "../api/pictures";

export interface Picture {
  readonly key: string;
  readonly name: string;
  readonly url: string;
  /** Smaller, for lists. */
  readonly small: string;
  /** Where it is a file: the job that wrote it. */
  readonly job?: Job;
  readonly number?: number;
}

export function picturesOf(job: Job): Picture[] {
  return job.files.flatMap(({ path }, number) => {
    if (!isPicture(path)) return [];
    const [url, small] = [fileUrl(job.id, number), smallUrl(job.id, number)];
    return [{ key: `${job.id}/${number}`, name: path.split("/").at(-1) ?? path, url, small, job, number }];
  });
}
