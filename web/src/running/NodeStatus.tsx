import type { GraphName } from "../graph/document";
import { useNodeDefects } from "../store/defects";
import { useNodeRun } from "../store/runs";
import { Icon } from "../theme/Icon";
import type { NodeRun } from "./run";
import "./status.css";
import { duration } from "./times";
import { useNow } from "./useNow";

interface Props {
  /** On the canvas. */
  readonly id: string;
  readonly graph: GraphName;
  readonly name: string;
}

/** How far a node is in the run that is shown, and whether something keeps it from running. */
export function NodeStatus({ id, graph, name }: Props) {
  const run = useNodeRun(id);
  const isBad = useNodeDefects(graph, name).length > 0;
  return (
    <>
      {isBad && (
        <span className="status-bad" role="img" aria-label="has problems">
          <Icon name="warning" size={13} />
        </span>
      )}
      {run && <Mark run={run} />}
      {run?.state === "running" && <Bar run={run} />}
    </>
  );
}

const WORDS = {
  waiting: "waiting",
  running: "running",
  cached: "cached",
  done: "done",
  failed: "failed",
  blocked: "blocked",
} as const;

function Mark({ run }: { readonly run: NodeRun }) {
  const now = useNow(run.state === "running");
  const { state, seconds, began } = run;
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

function Bar({ run: { done, total } }: { readonly run: NodeRun }) {
  const known = done !== undefined && total ? Math.min(1, done / total) : null;
  return (
    <div
      className={known === null ? "bar bar-unknown status-bar" : "bar status-bar"}
      role="progressbar"
      aria-label="Progress"
      {...(known === null ? {} : { "aria-valuenow": Math.round(known * 100) })}
    >
      <div style={known === null ? undefined : { transform: `scaleX(${known})` }} />
    </div>
  );
}
