import { type RefObject, useEffect, useRef, useState } from "react";
import { carriesFiles, pictureIn } from "./pictureFiles";

/** Whether a file is held over the field or the node around it, and what was dropped there. */
export function useDropped(box: RefObject<HTMLElement | null>, onFile: (file: File | undefined) => void): boolean {
  const [isOver, setOver] = useState(false);
  const take = useRef(onFile);
  useEffect(() => {
    take.current = onFile;
  });
  useEffect(() => {
    const area = box.current?.closest<HTMLElement>("[data-drop], .node") ?? box.current;
    if (!area) return;
    const stop = new AbortController();
    const on = (kind: "dragover" | "dragleave" | "drop", handle: (event: DragEvent) => void) =>
      area.addEventListener(kind, handle, { signal: stop.signal });
    on("dragover", (event) => {
      if (!carriesFiles(event.dataTransfer)) return;
      event.preventDefault();
      event.stopPropagation();
      setOver(true);
    });
    on("dragleave", (event) => {
      if (!area.contains(event.relatedTarget as Node | null)) setOver(false);
    });
    on("drop", (event) => {
      setOver(false);
      const file = pictureIn(event.dataTransfer);
      if (!file || event.defaultPrevented) return;
      event.preventDefault();
      event.stopPropagation();
      take.current(file);
    });
    return () => stop.abort();
  }, [box]);
  return isOver;
}
