import { useMemo } from "react";
import { isPicture } from "../api/pictures";
import { useNodeFiles, useShownRun } from "../store/runs";

/** The pictures that a node of the canvas wrote in the run that the active tab shows: the job's files, by number. */
export function useWrittenPictures(id: string): {
  readonly job: string;
  readonly numbers: readonly number[];
  readonly names: readonly string[];
} {
  const job = useShownRun((each) => each?.job ?? "");
  const files = useShownRun((each) => each?.files);
  const written = useNodeFiles(id);
  return useMemo(() => {
    const names = files ?? [];
    return { job, names, numbers: written.filter((each) => isPicture(names[each] ?? "")) };
  }, [job, files, written]);
}
