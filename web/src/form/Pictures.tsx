import type { Job } from "../api/jobs";
import { fileUrl } from "../api/pictures";
import { picturesOf } from "./pictures";

/** The pictures that a run made, large, each with a way to keep it. */
export function Pictures({ job }: { readonly job: Job }) {
  const pictures = picturesOf(job);
  if (pictures.length === 0) return job.state === "done" ? <p className="run-empty">It made no pictures.</p> : null;
  return (
    <ul className="run-pictures" data-count={Math.min(pictures.length, 4)}>
      {pictures.map((picture) => (
        <li key={picture.number}>
          <a href={fileUrl(picture.job, picture.number)} target="_blank" rel="noreferrer">
            <img src={fileUrl(picture.job, picture.number)} alt={picture.name} />
          </a>
          <a className="run-download" href={fileUrl(picture.job, picture.number, true)} download={picture.name}>
            Download
          </a>
        </li>
      ))}
    </ul>
  );
}
