import { useEffect } from "react";
import { isOver, useShownRun } from "../store/runs";
import { fraction } from "./run";
import { showInTitle } from "./title";

/** How much of the shown run is over: a slim bar, and the same in the title of the page. */
export function Progress() {
  const isActive = useShownRun((run) => run !== undefined && !isOver(run));
  const percent = useShownRun((run) => (run && !isOver(run) ? Math.floor((fraction(run) ?? 0) * 100) : null));
  const losses = useShownRun((run) => (run && !isOver(run) ? run.losses : 0));
  const state = useShownRun((run) => run?.state);

  useEffect(() => showInTitle(state === "running" ? percent : null), [percent, state]);

  if (!isActive || percent === null) return null;
  const text = state === "running" ? `${percent}%` : state === "paused" ? "paused" : "waiting";
  return (
    <div className="run-progress">
      {losses > 0 && <span className="run-lost">worker lost, started again</span>}
      <span>{text}</span>
      <div
        className="bar"
        role="progressbar"
        aria-label="The whole run"
        aria-valuenow={percent}
        aria-valuemin={0}
        aria-valuemax={100}
      >
        <div style={{ transform: `scaleX(${percent / 100})` }} />
      </div>
    </div>
  );
}
