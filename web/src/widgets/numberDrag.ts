// Changing a number by dragging over it.
import type { PointerEvent as ReactPointerEvent } from "react";
import { type NumberRange, hasScale, moved } from "./numbers";

const THRESHOLD = 3;
const PIXELS_PER_STEP = 4;

interface Drag {
  readonly value: number;
  readonly range: NumberRange;
  /** Whether the width of the element stands for the whole range. */
  readonly isScale: boolean;
  readonly onChange: (value: number) => void;
}

/** Follow the pointer from here on: Shift for fine changes, Ctrl for coarse ones. A press without a drag is a click. */
export function startNumberDrag(
  event: ReactPointerEvent<HTMLElement>,
  { value, range, isScale, onChange }: Drag,
): void {
  if (event.button !== 0 || event.target instanceof HTMLInputElement || event.target instanceof HTMLButtonElement)
    return;
  const element = event.currentTarget;
  const { pointerId, clientX: start } = event;
  const width = Math.max(1, element.getBoundingClientRect().width);
  const perPixel = isScale && hasScale(range) ? (range.most - range.least) / range.step / width : 1 / PIXELS_PER_STEP;
  let last = value;
  let isDragging = false;

  const onMove = (move: PointerEvent) => {
    const pixels = move.clientX - start;
    if (!isDragging) {
      if (Math.abs(pixels) < THRESHOLD) return;
      isDragging = true;
      element.setPointerCapture(pointerId);
      element.dataset["dragging"] = "";
    }
    const factor = move.shiftKey ? 0.1 : move.ctrlKey || move.metaKey ? 10 : 1;
    const steps = pixels * perPixel * factor;
    const next =
      move.shiftKey && !range.isWhole
        ? moved(value, Math.round(steps * 10), range, true)
        : moved(value, Math.round(steps), range);
    if (next !== last) onChange((last = next));
  };
  const onEnd = () => {
    element.removeEventListener("pointermove", onMove);
    element.removeEventListener("pointerup", onEnd);
    element.removeEventListener("pointercancel", onEnd);
    delete element.dataset["dragging"];
    if (isDragging) {
      const swallow = (click: MouseEvent) => click.stopPropagation();
      element.addEventListener("click", swallow, { capture: true, once: true });
      setTimeout(() => element.removeEventListener("click", swallow, { capture: true }));
    }
  };
  element.addEventListener("pointermove", onMove);
  element.addEventListener("pointerup", onEnd);
  element.addEventListener("pointercancel", onEnd);
}
