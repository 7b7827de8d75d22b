import { smallUrl } from "../api/pictures";
import { useNodeRun, usePreview } from "../store/runs";
import "./far.css";
import { useWrittenPictures } from "./useWrittenPictures";

interface Props {
  /** On the canvas. */
  readonly id: string;
}

/** A node's run as it is told from far away: its picture, how far it is, and a frame in the colour of its state. */
export function FarRun({ id }: Props) {
  const run = useNodeRun(id);
  const preview = usePreview(id);
  const { job, numbers } = useWrittenPictures(id);
  const [first] = numbers;
  const picture = preview ?? (first === undefined ? undefined : smallUrl(job, first));
  const part = run?.state === "running" && run.done !== undefined && run.total ? run.done / run.total : 0;
  if (!run && !picture) return null;
  return (
    <>
      {picture && <img className="far-picture" src={picture} alt="" />}
      {run && (
        <span className="far-state" data-state={run.state} role="img" aria-label={run.state}>
          <span style={{ transform: `scaleX(${Math.min(1, part)})` }} />
        </span>
      )}
    </>
  );
}
