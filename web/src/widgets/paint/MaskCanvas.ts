// A mask that is painted: grey values on a canvas, white where it is 1, with its own steps back and forth.
import { type Spot, spotsBetween } from "./strokes";

export interface Brush {
  readonly isErasing: boolean;
  /** Across, in pixels of the picture. */
  readonly size: number;
  /** From 0, soft to the middle, to 1. */
  readonly hardness: number;
  readonly opacity: number;
}

interface Step {
  readonly x: number;
  readonly y: number;
  readonly before: ImageData;
  readonly after: ImageData;
}

interface Stroke {
  readonly brush: Brush;
  last: Spot;
  box: [number, number, number, number];
}

const MOST_BYTES = 256 * 2 ** 20;
const SPACING = 0.12;
const COVER = 0.65;

export class MaskCanvas {
  private readonly mask: CanvasRenderingContext2D;
  /** What the stroke at hand covers: white on black when it paints, black on white when it erases. */
  private readonly layer: CanvasRenderingContext2D;
  private readonly scratch: CanvasRenderingContext2D;
  private stroke: Stroke | null = null;
  private past: Step[] = [];
  private future: Step[] = [];

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.mask = contextOf(width, height);
    this.layer = contextOf(width, height);
    this.scratch = contextOf(width, height);
    paint(this.mask, "black");
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** Begin from a mask that there is, brought to this size. */
  load(picture: CanvasImageSource): void {
    this.mask.drawImage(picture, 0, 0, this.width, this.height);
  }

  begin(at: Spot, brush: Brush, size = brush.size): void {
    paint(this.layer, brush.isErasing ? "white" : "black");
    this.stroke = { brush, last: at, box: [at.x, at.y, at.x, at.y] };
    this.dab(at, size);
  }

  moveTo(at: Spot, size: number): void {
    if (!this.stroke) return;
    const spots = spotsBetween(this.stroke.last, at, size * SPACING);
    for (const spot of spots) this.dab(spot, size);
    this.stroke.last = spots.at(-1) ?? this.stroke.last;
  }

  end(): void {
    const stroke = this.stroke;
    this.stroke = null;
    if (!stroke) return;
    const [left, top, right, bottom] = stroke.box;
    this.change([left, top, right - left, bottom - top], () => this.lay(this.mask, stroke.brush));
  }

  /** Paint or erase all that lies within a line around it. */
  polygon(spots: readonly Spot[], brush: Brush): void {
    const [first, ...rest] = spots;
    if (!first || rest.length < 2) return;
    const [xs, ys] = [spots.map((each) => each.x), spots.map((each) => each.y)];
    const [left, top] = [Math.min(...xs), Math.min(...ys)];
    this.change([left, top, Math.max(...xs) - left, Math.max(...ys) - top], () => {
      this.mask.save();
      this.mask.globalAlpha = brush.opacity;
      this.mask.fillStyle = brush.isErasing ? "black" : "white";
      this.mask.beginPath();
      this.mask.moveTo(first.x, first.y);
      for (const { x, y } of rest) this.mask.lineTo(x, y);
      this.mask.fill();
      this.mask.restore();
    });
  }

  fill(value: "black" | "white"): void {
    this.change(this.everything(), () => paint(this.mask, value));
  }

  invert(): void {
    this.change(this.everything(), () => {
      this.mask.globalCompositeOperation = "difference";
      paint(this.mask, "white");
      this.mask.globalCompositeOperation = "source-over";
    });
  }

  undo(): void {
    const step = this.past.pop();
    if (!step) return;
    this.mask.putImageData(step.before, step.x, step.y);
    this.future.push(step);
  }

  redo(): void {
    const step = this.future.pop();
    if (!step) return;
    this.mask.putImageData(step.after, step.x, step.y);
    this.past.push(step);
  }

  /** Show the picture with the mask over it as a tint. */
  draw(onto: CanvasRenderingContext2D, picture: CanvasImageSource | null, tint: string): void {
    const { canvas } = this.scratch;
    onto.globalCompositeOperation = "source-over";
    onto.globalAlpha = 1;
    if (picture) onto.drawImage(picture, 0, 0, this.width, this.height);
    else paint(onto, "#777");
    // covered by the tint as far as the mask says: first darkened there, then lit
    this.compose("difference", "white");
    onto.globalCompositeOperation = "multiply";
    onto.globalAlpha = COVER;
    onto.drawImage(canvas, 0, 0);
    this.compose("multiply", tint);
    onto.globalCompositeOperation = "lighter";
    onto.drawImage(canvas, 0, 0);
    onto.globalCompositeOperation = "source-over";
    onto.globalAlpha = 1;
  }

  /** The mask as a PNG of grey values. */
  async toPng(): Promise<Blob> {
    const found = await new Promise<Blob | null>((done) => this.mask.canvas.toBlob(done, "image/png"));
    if (!found) throw new Error("the browser could not write the mask as a PNG");
    return found;
  }

  /** The mask and the stroke at hand, blended with a colour, on the scratch canvas. */
  private compose(how: GlobalCompositeOperation, colour: string): void {
    this.scratch.globalCompositeOperation = "source-over";
    this.scratch.drawImage(this.mask.canvas, 0, 0);
    if (this.stroke) this.lay(this.scratch, this.stroke.brush);
    this.scratch.globalCompositeOperation = how;
    paint(this.scratch, colour);
  }

  private lay(onto: CanvasRenderingContext2D, brush: Brush): void {
    onto.save();
    onto.globalAlpha = brush.opacity;
    onto.globalCompositeOperation = brush.isErasing ? "multiply" : "screen";
    onto.drawImage(this.layer.canvas, 0, 0);
    onto.restore();
  }

  /** One dab; where dabs of a stroke overlap, the stronger counts, so that soft strokes stay soft. */
  private dab({ x, y }: Spot, size: number): void {
    const stroke = this.stroke;
    if (!stroke) return;
    const radius = Math.max(0.5, size / 2);
    const { isErasing, hardness } = stroke.brush;
    const gradient = this.layer.createRadialGradient(x, y, radius * Math.min(hardness, 0.98), x, y, radius);
    gradient.addColorStop(0, isErasing ? "black" : "white");
    gradient.addColorStop(1, isErasing ? "white" : "black");
    this.layer.globalCompositeOperation = isErasing ? "darken" : "lighten";
    this.layer.fillStyle = gradient;
    this.layer.beginPath();
    this.layer.arc(x, y, radius, 0, 2 * Math.PI);
    this.layer.fill();
    this.layer.globalCompositeOperation = "source-over";
    const [left, top, right, bottom] = stroke.box;
    stroke.box = [
      Math.min(left, x - radius),
      Math.min(top, y - radius),
      Math.max(right, x + radius),
      Math.max(bottom, y + radius),
    ];
  }

  private everything(): [number, number, number, number] {
    return [0, 0, this.width, this.height];
  }

  /** Change a part of the mask as one step that can be undone. */
  private change([left, top, width, height]: [number, number, number, number], how: () => void): void {
    const x = Math.min(this.width - 1, Math.max(0, Math.floor(left) - 1));
    const y = Math.min(this.height - 1, Math.max(0, Math.floor(top) - 1));
    const w = Math.max(1, Math.min(this.width, Math.ceil(left + width) + 1) - x);
    const h = Math.max(1, Math.min(this.height, Math.ceil(top + height) + 1) - y);
    const before = this.mask.getImageData(x, y, w, h);
    how();
    this.past.push({ x, y, before, after: this.mask.getImageData(x, y, w, h) });
    this.future = [];
    let bytes = this.past.reduce((sum, each) => sum + 2 * each.before.data.length, 0);
    while (bytes > MOST_BYTES && this.past.length > 1) bytes -= 2 * (this.past.shift()?.before.data.length ?? 0);
  }
}

function contextOf(width: number, height: number): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new Error("the browser gives no canvas to paint on");
  return context;
}

function paint(onto: CanvasRenderingContext2D, colour: string): void {
  onto.fillStyle = colour;
  onto.fillRect(0, 0, onto.canvas.width, onto.canvas.height);
}
