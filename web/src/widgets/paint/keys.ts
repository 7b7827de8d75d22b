// What keys do while a mask is painted.
import type { KeyboardEvent } from "react";
import type { MaskCanvas } from "./MaskCanvas";
import { LARGEST, type Settings } from "./Tools";

/** Do what a key stands for; whether it stands for anything. */
export function keyAction(
  event: KeyboardEvent,
  settings: Settings,
  onChange: (change: Partial<Settings>) => void,
  onAct: (change: (canvas: MaskCanvas) => void) => void,
): boolean {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") onAct((canvas) => (event.shiftKey ? canvas.redo() : canvas.undo()));
    else if (key === "y") onAct((canvas) => canvas.redo());
    else return false;
    return true;
  }
  const resized = (factor: number) =>
    Math.min(LARGEST, Math.max(1, Math.round(settings.size * factor + Math.sign(factor - 1))));
  if (key === "b") onChange({ tool: "brush", isErasing: false });
  else if (key === "e") onChange({ isErasing: !settings.isErasing });
  else if (key === "r") onChange({ tool: "rectangle" });
  else if (key === "l") onChange({ tool: "lasso" });
  else if (key === "[") onChange({ size: resized(0.85) });
  else if (key === "]") onChange({ size: resized(1.15) });
  else if (key === "f") onAct((canvas) => canvas.fill("white"));
  else if (key === "i") onAct((canvas) => canvas.invert());
  else if (key === "delete") onAct((canvas) => canvas.fill("black"));
  else return false;
  return true;
}
