import { shownKeys } from "../shell/commands";
import { useJobs, waiting } from "../store/jobs";
import { togglePanel } from "../store/layout";
import { MOST_RUNS, setCount, useRunOptions } from "../store/runOptions";
import { isOver, useRuns, useShownRun } from "../store/runs";
import { Icon } from "../theme/Icon";
import { IconButton } from "../theme/IconButton";
import { Progress } from "./Progress";
import "./runbar.css";
import { cancelCurrent, run, toggleQueue } from "./submit";

/** Runs the workflow and tells how the queue stands. */
export function RunBar() {
  const { count, isSending } = useRunOptions();
  const link = useRuns((state) => state.link);
  const isPaused = useJobs((state) => state.queue?.paused ?? false);
  const waits = useJobs((state) => waiting(state.queue));
  const isBusy = useJobs((state) => state.running.length > 0);
  const isShownActive = useShownRun((each) => each !== undefined && !isOver(each));
  return (
    <div className="run-bar" role="group" aria-label="Run">
      <p className="run-link" role="status">
        {link === "lost" && <>Reconnecting…</>}
      </p>
      <Progress />
      <div className="run-split">
        <button
          type="button"
          className="primary run-button"
          disabled={isSending}
          title={`Run the workflow (${shownKeys("Mod+Enter")})`}
          onClick={() => void run()}
        >
          <Icon name="run" size={14} /> Run
        </button>
        <label className="run-count" title="How many runs, each with its next seeds">
          <span aria-hidden="true">×</span>
          <input
            type="number"
            aria-label="Number of runs"
            min={1}
            max={MOST_RUNS}
            value={count}
            onChange={(event) => setCount(event.target.valueAsNumber)}
          />
        </label>
      </div>
      <IconButton
        icon="stop"
        label={`Cancel the current run (${shownKeys("Mod+Alt+Enter")})`}
        disabled={!isBusy && !isShownActive}
        onClick={cancelCurrent}
      />
      <IconButton
        icon={isPaused ? "run" : "pause"}
        label={isPaused ? "Resume the queue" : "Pause the queue"}
        pressed={isPaused}
        onClick={toggleQueue}
      />
      <button
        type="button"
        className="run-queue"
        aria-label={`Queue: ${waits} waiting${isPaused ? ", paused" : ""}`}
        onClick={() => togglePanel("right", "queue")}
      >
        <Icon name="queue" />
        <span data-paused={isPaused || undefined}>{isPaused ? `${waits} · paused` : waits}</span>
      </button>
    </div>
  );
}
