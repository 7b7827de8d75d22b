import type { Job } from "../api/jobs";
import { pictureThumbnail, picturesOf } from "./pictures";

interface Props {
  readonly jobs: readonly Job[];
  readonly shown: string | undefined;
  readonly onShow: (job: string) => void;
  readonly onTake: (job: Job) => void;
}

/** The runs of this workflow, the newest first. */
export function RunHistory({ jobs, shown, onShow, onTake }: Props) {
  const current = jobs.find((each) => each.id === shown);
  if (jobs.length === 0) return null;
  return (
    <section className="run-history" aria-label="Earlier runs">
      <header>
        <h2>Runs</h2>
        {current && (
          <button type="button" onClick={() => onTake(current)}>
            Use the inputs of this run
          </button>
        )}
      </header>
      <ol>
        {jobs.map((job) => {
          const [picture] = picturesOf(job);
          return (
            <li key={job.id}>
              <button
                type="button"
                aria-current={job.id === shown}
                aria-label={`run ${job.number}, ${job.state}`}
                title={summaryOf(job)}
                onClick={() => onShow(job.id)}
              >
                {picture ? (
                  <img src={pictureThumbnail(picture, 160)} alt="" loading="lazy" />
                ) : (
                  <span className={`run-state run-state-${job.state}`}>{job.state}</span>
                )}
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function summaryOf(job: Job): string {
  const inputs = Object.entries(job.inputs).map(([name, value]) => `${name}: ${String(value)}`);
  const seconds = job.seconds === null ? "" : ` in ${job.seconds.toFixed(1)} s`;
  return [`${new Date(job.created).toLocaleString()}, ${job.state}${seconds}`, ...inputs].join("\n");
}
