import { type Job, askOfJob } from "../api/jobs";
import { type Document, graphOf } from "../graph/document";
import { labelOf } from "../graph/labels";
import { notifyError } from "../store/notices";
import { useRuns } from "../store/runs";
import { Pictures } from "./Pictures";
import { progressOf } from "./progress";

interface Props {
  readonly job: Job | undefined;
  readonly document: Document;
}

/** A run: how far it is with its newest preview, and in the end what it made. */
export function RunView({ job, document }: Props) {
  const run = useRuns((state) => state.runs[job?.id ?? ""]);
  const preview = useRuns((state) => Object.values(state.previews[job?.id ?? ""] ?? {}).at(-1));
  if (!job) {
    return (
      <div className="run-view">
        <p className="run-empty">What you make appears here.</p>
      </div>
    );
  }
  const state = run?.state ?? job.state;
  const isAtWork = state === "queued" || state === "running" || state === "paused";
  const progress = run && progressOf(run, (place) => titleOf(document, place));
  const values = Object.entries(job.outputs).filter(([, value]) => isPlain(value));
  return (
    <div className="run-view" aria-live="polite">
      {isAtWork && (
        <div className="run-progress">
          {preview && <img src={preview} alt="how it looks so far" />}
          <div>
            <span>{progress?.text ?? "Waiting for its turn…"}</span>
            <progress value={progress?.part ?? 0} aria-label="Progress" />
            <button
              type="button"
              onClick={() => askOfJob(job.id, "cancel").catch((error: unknown) => notifyError("it goes on", error))}
            >
              Stop
            </button>
          </div>
        </div>
      )}
      {state === "failed" && (
        <p className="run-failed" role="alert">
          <strong>It did not work.</strong> {job.error?.message}
        </p>
      )}
      {state === "cancelled" && <p className="run-empty">This run was stopped.</p>}
      {!isAtWork && <Pictures job={job} />}
      {values.length > 0 && (
        <dl className="run-values">
          {values.map(([name, value]) => (
            <div key={name}>
              <dt>{name.replaceAll("_", " ")}</dt>
              <dd>{String(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

/** What can be read as it is; pictures and the like only have a name here. */
function isPlain(value: unknown): boolean {
  return (
    typeof value === "number" || typeof value === "boolean" || (typeof value === "string" && !value.startsWith("<"))
  );
}

function titleOf(document: Document, place: string): string {
  const [outer = ""] = place.split("/");
  const entry = graphOf(document, "").nodes?.[outer];
  return entry?.title || (entry ? labelOf(entry.graph ?? entry.type) : outer);
}
