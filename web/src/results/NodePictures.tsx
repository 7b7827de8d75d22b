import type { GraphName } from "../graph/document";
import { usePreview } from "../store/runs";
import "./pictures.css";

interface Props {
  readonly graph: GraphName;
  readonly name: string;
}

/** The live preview of a node that works, and what it made when it is done. */
export function NodePictures({ graph, name }: Props) {
  const preview = usePreview(graph, name);
  return preview ? <img className="node-preview" src={preview} alt={`Preview of ${name}`} /> : null;
}
