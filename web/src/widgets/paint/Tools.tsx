import { ICONS } from "../icons";
import type { MaskCanvas } from "./MaskCanvas";

export type Tool = "brush" | "rectangle" | "lasso";

export interface Settings {
  readonly tool: Tool;
  readonly isErasing: boolean;
  readonly size: number;
  readonly hardness: number;
  readonly opacity: number;
  /** In which the mask is shown. */
  readonly tint: string;
}

interface Props {
  readonly settings: Settings;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly onChange: (change: Partial<Settings>) => void;
  readonly onAct: (change: (canvas: MaskCanvas) => void) => void;
}

const TOOLS: readonly { readonly tool: Tool; readonly title: string; readonly keys: string }[] = [
  { tool: "brush", title: "Brush", keys: "B" },
  { tool: "rectangle", title: "Rectangle", keys: "R" },
  { tool: "lasso", title: "Lasso", keys: "L" },
];

export const LARGEST = 500;

/** What the pointer does, how the brush is, and what changes the whole mask. */
export function Tools({ settings, canUndo, canRedo, onChange, onAct }: Props) {
  const { tool, isErasing, size, hardness, opacity, tint } = settings;
  return (
    <div className="painter-tools" role="toolbar" aria-label="Painting">
      <span className="segments" role="radiogroup" aria-label="Tool">
        {TOOLS.map((each) => (
          <button
            key={each.tool}
            type="button"
            role="radio"
            aria-checked={each.tool === tool}
            title={`${each.title} (${each.keys})`}
            onClick={() => onChange({ tool: each.tool })}
          >
            {each.title}
          </button>
        ))}
      </span>
      <span className="segments" role="radiogroup" aria-label="What it does">
        <button type="button" role="radio" aria-checked={!isErasing} onClick={() => onChange({ isErasing: false })}>
          Paint
        </button>
        <button
          type="button"
          role="radio"
          aria-checked={isErasing}
          title="Erase (E); the right button does it, too"
          onClick={() => onChange({ isErasing: true })}
        >
          Erase
        </button>
      </span>
      <Range title="Size" value={size} most={LARGEST} shown={`${size} px`} onChange={(to) => onChange({ size: to })} />
      <Range
        title="Hardness"
        value={Math.round(hardness * 100)}
        most={100}
        shown={`${Math.round(hardness * 100)} %`}
        onChange={(to) => onChange({ hardness: to / 100 })}
      />
      <Range
        title="Opacity"
        value={Math.round(opacity * 100)}
        most={100}
        shown={`${Math.round(opacity * 100)} %`}
        onChange={(to) => onChange({ opacity: to / 100 })}
      />
      <label className="painter-range" title="The colour in which the mask is shown">
        <span>Shown in</span>
        <input type="color" value={tint} onChange={(event) => onChange({ tint: event.target.value })} />
      </label>
      <span className="painter-acts">
        <button type="button" disabled={!canUndo} onClick={() => onAct((canvas) => canvas.undo())}>
          Undo
        </button>
        <button type="button" disabled={!canRedo} onClick={() => onAct((canvas) => canvas.redo())}>
          Redo
        </button>
        <button type="button" onClick={() => onAct((canvas) => canvas.fill("white"))}>
          Fill
        </button>
        <button type="button" onClick={() => onAct((canvas) => canvas.invert())}>
          Invert
        </button>
        <button type="button" onClick={() => onAct((canvas) => canvas.fill("black"))}>
          {ICONS.remove} Clear
        </button>
      </span>
    </div>
  );
}

interface RangeProps {
  readonly title: string;
  readonly value: number;
  readonly most: number;
  readonly shown: string;
  readonly onChange: (value: number) => void;
}

function Range({ title, value, most, shown, onChange }: RangeProps) {
  return (
    <label className="painter-range">
      <span>{title}</span>
      <input
        type="range"
        min={1}
        max={most}
        value={value}
        aria-valuetext={shown}
        onChange={(event) => onChange(Number(event.target.value))}
      />
      <output>{shown}</output>
    </label>
  );
}
