// The pictures that jobs wrote.
import { path, url } from "../api/http";
import type { Job } from "../api/jobs";
import { isPicture } from "../api/pictures";

export interface JobPicture {
  readonly job: string;
  readonly number: number;
  readonly name: string;
}

export function picturesOf(job: Job): readonly JobPicture[] {
  return job.files.flatMap((file, number) =>
    isPicture(file.path) ? [{ job: job.id, number, name: file.path.slice(file.path.lastIndexOf("/") + 1) }] : [],
  );
}

export function pictureThumbnail({ job, number }: JobPicture, size: number): string {
  return url(path("jobs", job, "files", number, "thumbnail"), { size });
}
