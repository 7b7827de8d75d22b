import { type PointerEvent, useEffect, useRef, useState } from "react";
import type { MaskCanvas } from "./MaskCanvas";
import type { Settings } from "./Tools";
import { keyAction } from "./keys";
import { type Spot, type View, fitted, onPicture, pressed, zoomedAt } from "./strokes";

interface Props {
  readonly canvas: MaskCanvas;
  readonly picture: HTMLImageElement | null;
  readonly settings: Settings;
  /** Rises with every change of the mask. */
  readonly changes: number;
  readonly onChange: (change: Partial<Settings>) => void;
  readonly onAct: (change: (canvas: MaskCanvas) => void) => void;
}

type Doing =
  | { readonly what: "paint" }
  | { readonly what: "pan"; readonly from: Spot; readonly view: View }
  | { readonly what: "outline"; readonly isErasing: boolean; readonly spots: readonly Spot[] };

const RIGHT = 2;
const ERASER = 32;

/** The window onto the picture, in which is painted. */
export function Stage({ canvas, picture, settings, changes, onChange, onAct }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const shown = useRef<HTMLCanvasElement>(null);
  const [view, setView] = useState<View | null>(null);
  const [pointer, setPointer] = useState<Spot | null>(null);
  const [doing, setDoing] = useState<Doing | null>(null);
  const [isSpace, setSpace] = useState(false);
  const frame = useRef(0);

  const draw = () => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      const context = shown.current?.getContext("2d", { alpha: false });
      if (context) canvas.draw(context, picture, settings.tint);
    });
  };
  useEffect(draw, [canvas, picture, changes, settings.tint]);

  const fit = () => {
    const { clientWidth, clientHeight } = box.current ?? { clientWidth: 0, clientHeight: 0 };
    setView(fitted(canvas.width, canvas.height, clientWidth, clientHeight));
  };
  useEffect(() => {
    fit();
    box.current?.focus();
    // once, when it appears
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const at = spotIn(element, event);
      setView((old) => old && zoomedAt(old, at, Math.exp(-event.deltaY / 400)));
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, []);

  const down = (event: PointerEvent<HTMLDivElement>) => {
    if (!view) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    event.currentTarget.focus();
    const at = spotIn(event.currentTarget, event);
    if (event.button === 1 || isSpace) return setDoing({ what: "pan", from: at, view });
    const isErasing = settings.isErasing || event.button === RIGHT || (event.buttons & ERASER) !== 0;
    const spot = onPicture(view, at);
    if (settings.tool !== "brush") return setDoing({ what: "outline", isErasing, spots: [spot] });
    canvas.begin(spot, { ...settings, isErasing }, sizeOf(event, settings));
    setDoing({ what: "paint" });
    draw();
  };
  const move = (event: PointerEvent<HTMLDivElement>) => {
    if (!view) return;
    const at = spotIn(event.currentTarget, event);
    setPointer(at);
    if (doing?.what === "pan") {
      setView({ ...doing.view, x: doing.view.x + at.x - doing.from.x, y: doing.view.y + at.y - doing.from.y });
    } else if (doing?.what === "outline") {
      setDoing({ ...doing, spots: extended(doing.spots, onPicture(view, at), settings.tool === "rectangle") });
    } else if (doing?.what === "paint") {
      const all = event.nativeEvent.getCoalescedEvents();
      for (const each of all.length > 0 ? all : [event.nativeEvent]) {
        canvas.moveTo(onPicture(view, spotIn(event.currentTarget, each)), sizeOf(each, settings));
      }
      draw();
    }
  };
  const up = () => {
    if (doing?.what === "paint") onAct((each) => each.end());
    else if (doing?.what === "outline") {
      const { spots, isErasing } = doing;
      onAct((each) => each.polygon(spots, { ...settings, isErasing }));
    }
    setDoing(null);
  };
  const scale = view?.zoom ?? 1;
  return (
    // the window is a surface for pointers with keys of its own, which the toolbar has as buttons, too
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      ref={box}
      className="painter-stage"
      role="application"
      aria-label="The picture to paint on"
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      data-panning={isSpace || doing?.what === "pan" || undefined}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={up}
      onPointerLeave={() => setPointer(null)}
      onContextMenu={(event) => event.preventDefault()}
      onKeyUp={(event) => event.key === " " && setSpace(false)}
      onKeyDown={(event) => {
        if (event.key === " ") setSpace(true);
        else if (event.key === "0") fit();
        else if (!keyAction(event, settings, onChange, onAct)) return;
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      <canvas
        ref={shown}
        width={canvas.width}
        height={canvas.height}
        style={view ? { transform: `translate(${view.x}px, ${view.y}px) scale(${scale})` } : { visibility: "hidden" }}
        data-large={scale > 2 || undefined}
      />
      {view && doing?.what === "outline" && (
        <svg className="painter-outline">
          <polygon points={doing.spots.map(({ x, y }) => `${x * scale + view.x},${y * scale + view.y}`).join(" ")} />
        </svg>
      )}
      {pointer && settings.tool === "brush" && !isSpace && (
        <span
          className="painter-brush"
          style={{
            width: settings.size * scale,
            height: settings.size * scale,
            transform: `translate(${pointer.x}px, ${pointer.y}px) translate(-50%, -50%)`,
          }}
        />
      )}
    </div>
  );
}

function spotIn(element: Element, { clientX, clientY }: { readonly clientX: number; readonly clientY: number }): Spot {
  const { left, top } = element.getBoundingClientRect();
  return { x: clientX - left, y: clientY - top };
}

function sizeOf(
  { pressure, pointerType }: { readonly pressure: number; readonly pointerType: string },
  { size }: Settings,
): number {
  return pressed(size, pressure, pointerType === "pen");
}

function extended(spots: readonly Spot[], to: Spot, isRectangle: boolean): readonly Spot[] {
  const [from = to] = spots;
  if (!isRectangle) return [...spots, to];
  return [from, { x: to.x, y: from.y }, to, { x: from.x, y: to.y }];
}
