import { type DragEvent, memo, useState } from "react";
import { type Job, type Wish, askOfJob, deleteJob, moveJob } from "../api/jobs";
import { picturesOf } from "../results/picture";
import { useRuns } from "../store/runs";
import { Icon } from "../theme/Icon";
import { IconButton } from "../theme/IconButton";
import { nameOf } from "./groups";
import { openJob, showJob } from "./opening";
import { fraction } from "./run";
import { ask } from "./submit";
import { duration } from "./times";

interface Props {
  readonly job: Job;
  /** Its neighbours where it can be moved. */
  readonly order: { readonly before: string | undefined; readonly after: string | undefined } | null;
}

const DRAGGED = "application/x-nodegraph-job";

/** A job: how it stands, and what can be asked of it. */
export const JobRow = memo(function JobRow({ job, order }: Props) {
  const [isTarget, setTarget] = useState(false);
  const [picture] = picturesOf(job);
  const drop = (event: DragEvent) => {
    setTarget(false);
    const moved = event.dataTransfer.getData(DRAGGED);
    if (moved && moved !== job.id) move(moved, { before: job.id });
  };
  const dragging = order && {
    draggable: true,
    onDragStart: (event: DragEvent) => event.dataTransfer.setData(DRAGGED, job.id),
    onDragOver: (event: DragEvent) => {
      if (!event.dataTransfer.types.includes(DRAGGED)) return;
      event.preventDefault();
      setTarget(true);
    },
    onDragLeave: () => setTarget(false),
    onDrop: drop,
  };
  return (
    <li className={`job job-${job.state}${isTarget ? " job-target" : ""}`} {...dragging}>
      <button
        type="button"
        className="job-main"
        title="Show this run in its workflow"
        aria-label="Show this run"
        aria-describedby={`job-${job.id}`}
        onClick={() => showJob(job)}
      >
        {!picture ? <StateIcon job={job} /> : <img src={picture.small} alt="" loading="lazy" />}
        <span className="job-texts" id={`job-${job.id}`}>
          <span className="job-name">{nameOf(job)}</span>
          <Facts job={job} />
        </span>
      </button>
      <span className="job-tools">
        {order && <MoveTools job={job} order={order} />}
        <Tools job={job} />
      </span>
      {job.state === "running" && <RunBar id={job.id} />}
      {job.error && <Failure text={job.error.message} />}
    </li>
  );
});

function StateIcon({ job }: { readonly job: Job }) {
  const icons = { running: "run", queued: "queue", paused: "pause", done: "check", failed: "warning" } as const;
  return (
    <span className="job-icon">
      <Icon name={job.state === "cancelled" ? "close" : icons[job.state]} size={14} />
    </span>
  );
}

function Facts({ job }: { readonly job: Job }) {
  const parts = [
    job.state === "done" ? "" : (job.wish && { cancel: "cancelling", pause: "pausing" }[job.wish]) || job.state,
    job.seconds === null || job.state === "queued" ? "" : duration(job.seconds),
    job.finished ? clock(job.finished) : "",
    job.losses > 0 ? `lost ${job.losses === 1 ? "a worker" : `${job.losses} workers`}` : "",
    job.priority !== 0 ? `priority ${job.priority}` : "",
  ];
  return <span className="job-facts">{parts.filter(Boolean).join(" · ")}</span>;
}

function clock(time: string): string {
  return new Date(time).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

function RunBar({ id }: { readonly id: string }) {
  const part = useRuns((state) => (state.runs[id] ? (fraction(state.runs[id]) ?? 0) : 0));
  return (
    <div className="bar" role="progressbar" aria-label="Progress" aria-valuenow={Math.round(part * 100)}>
      <div style={{ transform: `scaleX(${part})` }} />
    </div>
  );
}

function Failure({ text }: { readonly text: string }) {
  return (
    <details className="job-error">
      <summary>{text}</summary>
      <p>{text}</p>
    </details>
  );
}

function MoveTools({ job, order }: { readonly job: Job; readonly order: NonNullable<Props["order"]> }) {
  const { before, after } = order;
  return (
    <>
      <IconButton icon="first" label="Run next" disabled={!before} onClick={() => move(job.id, { to: "first" })} />
      <IconButton icon="up" label="Move up" disabled={!before} onClick={() => before && move(job.id, { before })} />
      <IconButton icon="down" label="Move down" disabled={!after} onClick={() => after && move(job.id, { after })} />
    </>
  );
}

function Tools({ job: { id, state } }: { readonly job: Job }) {
  const wish = (asked: Wish) => () => void ask(`the job did not ${asked}`, () => askOfJob(id, asked));
  return (
    <>
      {state === "queued" && <IconButton icon="pause" label="Hold this job back" onClick={wish("pause")} />}
      {state === "running" && <IconButton icon="pause" label="Pause this job" onClick={wish("pause")} />}
      {state === "paused" && <IconButton icon="run" label="Let this job go on" onClick={wish("resume")} />}
      {(state === "failed" || state === "cancelled") && (
        <IconButton icon="retry" label="Run it again" onClick={wish("retry")} />
      )}
      <IconButton icon="open" label="Open its workflow in a new tab" onClick={() => void openJob(id)} />
      {["done", "failed", "cancelled"].includes(state) ? (
        <IconButton
          icon="trash"
          label="Remove from the history; its files stay"
          onClick={() => void ask("the job was not removed", () => deleteJob(id))}
        />
      ) : (
        <IconButton icon="close" label="Cancel this job" onClick={wish("cancel")} />
      )}
    </>
  );
}

function move(id: string, placement: Parameters<typeof moveJob>[1]): void {
  void ask("the job was not moved", () => moveJob(id, placement));
}
