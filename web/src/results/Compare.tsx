import { useState } from "react";
import type { Picture } from "./picture";
import type { Zoom } from "./zoom";

export type Way = "slider" | "side" | "difference";

interface Props {
  readonly first: Picture;
  readonly second: Picture | undefined;
  readonly way: Way;
  readonly zoom: Zoom;
}

/** One picture, or two that move and grow together. */
export function Compare({ first, second, way, zoom }: Props) {
  const [split, setSplit] = useState(50);
  const transform = `translate(${zoom.x}px, ${zoom.y}px) scale(${zoom.scale})`;
  const isSharp = zoom.scale > 2;
  const picture = (each: Picture) => (
    <img src={each.url} alt={each.name} draggable={false} data-sharp={isSharp || undefined} style={{ transform }} />
  );
  if (!second) return <div className="compare-pane">{picture(first)}</div>;
  if (way === "side") {
    return (
      <>
        <div className="compare-pane compare-left">{picture(first)}</div>
        <div className="compare-pane compare-right">{picture(second)}</div>
      </>
    );
  }
  if (way === "difference") {
    return (
      <div className="compare-pane compare-difference">
        {picture(first)}
        {picture(second)}
      </div>
    );
  }
  return (
    <>
      <div className="compare-pane">{picture(first)}</div>
      <div className="compare-pane" style={{ clipPath: `inset(0 0 0 ${split}%)` }}>
        {picture(second)}
      </div>
      <div className="compare-line" style={{ left: `${split}%` }} />
      <input
        className="compare-slider"
        type="range"
        min={0}
        max={100}
        step={0.5}
        value={split}
        aria-label="Where the second picture begins"
        onPointerMove={(event) => event.stopPropagation()}
        onChange={(event) => setSplit(event.target.valueAsNumber)}
      />
    </>
  );
}
