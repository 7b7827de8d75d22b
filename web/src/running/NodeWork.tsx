import type { GraphName } from "../graph/document";
import { explain, useNodeDefects } from "../store/defects";
import { useNodeRun } from "../store/runs";
import { NodeTrouble } from "./NodeTrouble";
import type { NodeRun } from "./run";
import { duration, rate } from "./times";

interface Props {
  /** On the canvas. */
  readonly id: string;
  readonly graph: GraphName;
  readonly name: string;
}

/** At the foot of a node: how fast it works, or why it does not. */
export function NodeWork({ id, graph, name }: Props) {
  const run = useNodeRun(id);
  const defects = useNodeDefects(graph, name);
  if (run?.state === "running") {
    const text = workText(run);
    return text ? <p className="node-work">{text}</p> : null;
  }
  if (run?.state === "failed" && run.error) return <NodeTrouble text={run.error} />;
  if (run?.state === "blocked" && run.error) return <p className="node-work">blocked: {run.error}</p>;
  return defects.length > 0 ? <NodeTrouble text={defects.map(explain).join("\n")} /> : null;
}

function workText({ done, total, rate: speed, eta, message, inside }: NodeRun): string {
  const parts = [
    done === undefined || !total ? "" : `${done} of ${total}`,
    message ?? "",
    inside?.replace(/^\//, "").replace(/^\[(\d+)\]\//, (_all, round: string) => `round ${Number(round) + 1}: `) ?? "",
    speed === undefined ? "" : rate(speed),
    eta === undefined || eta < 1 ? "" : `${duration(eta)} left`,
  ];
  return parts.filter((each) => each !== "").join(" · ");
}
