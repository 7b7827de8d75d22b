import type { GraphName } from "../graph/document";
import { useInputDefect } from "../store/defects";

interface Props {
  readonly graph: GraphName;
  readonly node: string;
  readonly input: string;
}

/** Marks an input that keeps the workflow from running, and says why. */
export function InputMark({ graph, node, input }: Props) {
  const defect = useInputDefect(graph, node, input);
  if (!defect) return null;
  return (
    <span className="input-mark" role="img" aria-label={`${input}: ${defect}`} title={defect}>
      !
    </span>
  );
}
