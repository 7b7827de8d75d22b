import { usePreview } from "../store/runs";
import "./pictures.css";

interface Props {
  /** On the canvas. */
  readonly id: string;
  readonly name: string;
}

/** The live preview of a node that works, and what it made when it is done. */
export function NodePictures({ id, name }: Props) {
  const preview = usePreview(id);
  return preview ? <img className="node-preview" src={preview} alt={`Preview of ${name}`} /> : null;
}
