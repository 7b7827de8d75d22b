import { useRef, useState } from "react";
import type { SeedMode } from "../graph/document";
import { drawSeed } from "../graph/seeds";
import { NumberField } from "./NumberField";
import { Popover } from "./Popover";
import { autofocused } from "./autofocused";
import type { FieldProps } from "./field";
import { ICONS } from "./icons";

export interface SeedControl {
  readonly mode: SeedMode;
  /** The seeds of the last runs, the newest first. */
  readonly history: readonly number[];
  readonly onMode: (mode: SeedMode) => void;
}

const MODES: readonly { readonly mode: SeedMode; readonly title: string; readonly help: string }[] = [
  { mode: "fixed", title: "Fixed", help: "every run has this seed" },
  { mode: "random", title: "Random", help: "a new one is drawn for each run" },
  { mode: "increment", title: "Count up", help: "each run has the next one" },
];

/** A seed: what it is, how it changes from run to run, and those of the last runs to take back. */
export function SeedField({ control, ...props }: FieldProps & { readonly control: SeedControl }) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const title = MODES.find((each) => each.mode === control.mode)?.title ?? "";
  const take = (seed: number) => {
    props.onChange(seed);
    setOpen(false);
    button.current?.focus();
  };
  return (
    <>
      <NumberField {...props} widget={null} />
      <button
        ref={button}
        type="button"
        className="field-icon"
        data-active={control.mode !== "fixed" || undefined}
        title={`${title}; click for how it changes, and for the last ones`}
        aria-label={`${props.name}: ${title}`}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {ICONS[control.mode]}
      </button>
      <button
        type="button"
        className="field-icon"
        title="Draw another seed"
        aria-label={`${props.name}: draw another`}
        onClick={() => props.onChange(drawSeed())}
      >
        {ICONS.dice}
      </button>
      {isOpen && (
        <Popover anchor={() => button.current} label={props.name} onClose={() => setOpen(false)} className="seed-menu">
          <div role="radiogroup" aria-label="How it changes">
            {MODES.map(({ mode, title: name, help }) => (
              <button
                key={mode}
                type="button"
                role="radio"
                aria-checked={mode === control.mode}
                ref={mode === control.mode ? autofocused : undefined}
                onClick={() => control.onMode(mode)}
              >
                {ICONS[mode]}
                <span>{name}</span>
                <small>{help}</small>
              </button>
            ))}
          </div>
          <h3>Last runs</h3>
          {control.history.length === 0 && <p>none yet</p>}
          <ul>
            {control.history.map((seed) => (
              <li key={seed}>
                <button type="button" aria-current={seed === props.value} onClick={() => take(seed)}>
                  {seed}
                </button>
              </li>
            ))}
          </ul>
        </Popover>
      )}
    </>
  );
}
