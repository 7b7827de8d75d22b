// Files dropped on the page: workflows open as tabs, pictures bring back the graph that made them.
import { notifyError } from "../store/notices";
import { openFile } from "./open";

type Opener = (file: File, at: { readonly x: number; readonly y: number }) => Promise<unknown>;

/** Hear files that are dropped anywhere on the page. picture: what is done with a picture. Gives what ends it. */
export function hearDrops(picture: Opener): () => void {
  const onDragOver = (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  };
  const onDrop = (event: DragEvent) => {
    if (event.defaultPrevented || !event.dataTransfer?.files.length) return;
    event.preventDefault();
    for (const file of event.dataTransfer.files) {
      const opened = file.type.startsWith("image/")
        ? picture(file, { x: event.clientX, y: event.clientY })
        : openFile(file);
      opened.catch((error: unknown) => notifyError(`“${file.name}” is not opened`, error));
    }
  };
  window.addEventListener("dragover", onDragOver);
  window.addEventListener("drop", onDrop);
  return () => {
    window.removeEventListener("dragover", onDragOver);
    window.removeEventListener("drop", onDrop);
  };
}
