import { useState } from "react";
import type { GraphName } from "../graph/document";
import { explain, useNodeDefects } from "../store/defects";
import { useNodeRun } from "../store/runs";
import { Icon } from "../theme/Icon";
import { NodeTrouble } from "./NodeTrouble";
import type { NodeRun } from "./run";
import "./status.css";
import { duration, rate } from "./times";
import { useNow } from "./useNow";

interface Props {
  /** On the canvas. */
  readonly id: string;
  readonly graph: GraphName;
  readonly name: string;
}

/** How far a node is in the run that is shown, or what keeps it from running. */
export function NodeStatus({ id, graph, name }: Props) {
  const run = useNodeRun(id);
  const defects = useNodeDefects(graph, name);
  const [isOpen, setOpen] = useState(false);
  const trouble = run?.state === "failed" ? (run.error ?? "") : defects.map(explain).join("\n");
  return (
    <>
      {run && <Mark run={run} />}
      {trouble && (
        <button
          type="button"
          className="status-trouble nodrag"
          aria-expanded={isOpen}
          aria-label={run?.state === "failed" ? `${name} failed: why` : `${name} has problems`}
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name="warning" size={14} />
        </button>
      )}
      {run?.state === "running" && <Bar run={run} />}
      {trouble && (run?.state === "failed" || isOpen) && <NodeTrouble text={trouble} isOpen={isOpen} />}
    </>
  );
}

const WORDS = { waiting: "waiting", running: "running", cached: "cached", done: "done", failed: "failed" } as const;

function Mark({ run }: { readonly run: NodeRun }) {
  const now = useNow(run.state === "running");
  const { state, seconds, began } = run;
  if (state === "blocked") {
    return (
      <span className="status status-blocked" title={run.error}>
        blocked
      </span>
    );
  }
  const time = state === "running" && began !== undefined ? Math.max(0, now - began) / 1000 : seconds;
  const isTimed = (state === "done" || state === "running") && time !== undefined;
  return (
    <span className={`status status-${state}`} title={run.log?.join("\n") || WORDS[state]}>
      {state === "cached" && <Icon name="cached" size={11} />}
      {state === "done" && <Icon name="check" size={12} />}
      {isTimed ? <time>{duration(time)}</time> : WORDS[state]}
      {isTimed && <span className="sr-only">{WORDS[state]}</span>}
    </span>
  );
}

function Bar({ run: { done, total, rate: speed, eta, message, inside } }: { readonly run: NodeRun }) {
  const known = done !== undefined && total ? Math.min(1, done / total) : null;
  const parts = [
    known === null ? "" : `${done} of ${total}`,
    message ?? "",
    inside?.replace(/^\//, "").replace(/^\[(\d+)\]\//, (_all, round: string) => `round ${Number(round) + 1}: `) ?? "",
    speed === undefined ? "" : rate(speed),
    eta === undefined || eta < 1 ? "" : `${duration(eta)} left`,
  ];
  const text = parts.filter((each) => each !== "").join(" · ");
  return (
    <div className="status-work">
      <div
        className={known === null ? "bar bar-unknown" : "bar"}
        role="progressbar"
        aria-label="Progress"
        aria-valuemin={0}
        aria-valuemax={1}
        {...(known === null ? {} : { "aria-valuenow": known })}
      >
        <div style={known === null ? undefined : { transform: `scaleX(${known})` }} />
      </div>
      {text && <p className="status-text">{text}</p>}
    </div>
  );
}
