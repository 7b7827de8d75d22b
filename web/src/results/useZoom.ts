import { type PointerEvent, type RefObject, useCallback, useEffect, useState } from "react";
import { FITTED, type Zoom, panned, zoomAt } from "./zoom";

/** Zoom with the wheel and pan by dragging on an element. */
export function useZoom(stage: RefObject<HTMLElement | null>) {
  const [zoom, setZoom] = useState<Zoom>(FITTED);

  useEffect(() => {
    const element = stage.current;
    if (!element) return undefined;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const { left, top, width, height } = element.getBoundingClientRect();
      const at = { x: event.clientX - left - width / 2, y: event.clientY - top - height / 2 };
      setZoom((old) => zoomAt(old, 1.0015 ** -event.deltaY, at));
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, [stage]);

  const onPointerMove = useCallback((event: PointerEvent) => {
    if (event.buttons === 1) setZoom((old) => panned(old, event.movementX, event.movementY));
  }, []);
  return { zoom, setZoom, onPointerMove };
}
