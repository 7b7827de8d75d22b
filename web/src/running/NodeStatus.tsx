import type { GraphName } from "../graph/document";
import { useNodeRun } from "../store/runs";

interface Props {
  readonly graph: GraphName;
  readonly name: string;
}

/** How far a node is in the run that is shown. */
export function NodeStatus({ name }: Props) {
  const run = useNodeRun(name);
  if (!run) return null;
  return <span className={`node-status node-status-${run.state}`}>{run.state}</span>;
}
