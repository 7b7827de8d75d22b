import type { GraphName } from "../graph/document";
import { useNodeRun } from "../store/runs";

interface Props {
  readonly graph: GraphName;
  readonly name: string;
}

/** The live preview of a node that works, and what it made when it is done. */
export function NodePictures({ name }: Props) {
  const run = useNodeRun(name);
  return run?.preview ? <img className="node-preview" src={run.preview} alt={`preview of ${name}`} /> : null;
}
