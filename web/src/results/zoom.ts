// Zooming and panning of a picture: where its middle is, and how large it is beside its fitted size.

export interface Zoom {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export const FITTED: Zoom = { x: 0, y: 0, scale: 1 };

const LARGEST = 64;
const SMALLEST = 0.25;

/** Zoom by a factor so that the point under the pointer, measured from the middle of the stage, stays there. */
export function zoomAt({ x, y, scale }: Zoom, factor: number, at: { readonly x: number; readonly y: number }): Zoom {
  const next = Math.min(LARGEST, Math.max(SMALLEST, scale * factor));
  const by = next / scale;
  return { x: at.x - (at.x - x) * by, y: at.y - (at.y - y) * by, scale: next };
}

export function panned(zoom: Zoom, dx: number, dy: number): Zoom {
  return { ...zoom, x: zoom.x + dx, y: zoom.y + dy };
}
