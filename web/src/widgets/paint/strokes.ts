// The geometry of painting: where dabs of the brush fall, and how the picture lies in its window.

export interface Spot {
  readonly x: number;
  readonly y: number;
}

export interface View extends Spot {
  readonly zoom: number;
}

/** The places from `from` to `to` that lie `spacing` apart; the last one is where the next stretch begins. */
export function spotsBetween(from: Spot, to: Spot, spacing: number): Spot[] {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const count = Math.floor(length / Math.max(0.5, spacing));
  return Array.from({ length: count }, (_, index) => {
    const part = ((index + 1) * Math.max(0.5, spacing)) / length;
    return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
  });
}

/** The picture as large as it fits, in the middle. */
export function fitted(width: number, height: number, boxWidth: number, boxHeight: number, margin = 16): View {
  const zoom = Math.max(0.02, Math.min((boxWidth - 2 * margin) / width, (boxHeight - 2 * margin) / height));
  return { zoom, x: (boxWidth - width * zoom) / 2, y: (boxHeight - height * zoom) / 2 };
}

/** Zoomed around a place of the window, which keeps what is below it. */
export function zoomedAt(view: View, at: Spot, factor: number): View {
  const zoom = Math.min(64, Math.max(0.02, view.zoom * factor));
  const scale = zoom / view.zoom;
  return { zoom, x: at.x - (at.x - view.x) * scale, y: at.y - (at.y - view.y) * scale };
}

/** A place of the window as one of the picture. */
export function onPicture(view: View, at: Spot): Spot {
  return { x: (at.x - view.x) / view.zoom, y: (at.y - view.y) / view.zoom };
}

/** How large a brush is with a pen: mice press with one half, always. */
export function pressed(size: number, pressure: number, isPen: boolean): number {
  return isPen ? Math.max(1, size * Math.max(0.1, pressure)) : size;
}
