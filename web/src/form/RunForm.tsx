import { useState } from "react";
import type { Json } from "../api/types";
import type { SeedMode } from "../graph/document";
import { Control } from "../widgets/Control";
import { SeedField } from "../widgets/SeedField";
import { NumberField } from "../widgets/NumberField";
import type { Asked, Values } from "./asked";

interface Props {
  readonly description: string;
  readonly asked: readonly Asked[];
  readonly values: Values;
  readonly modes: Readonly<Record<string, SeedMode>>;
  readonly faults: Readonly<Record<string, string>>;
  readonly others: readonly string[];
  readonly seedsOf: (input: string) => readonly number[];
  readonly isSending: boolean;
  readonly onChange: (input: string, value: Json | undefined) => void;
  readonly onMode: (input: string, mode: SeedMode) => void;
  readonly onRun: (count: number) => void;
}

const MOST = 100;

/** What the workflow asks for, and the button that runs it; Ctrl+Enter does the same. */
export function RunForm(props: Props) {
  const { description, asked, values, modes, faults, others, seedsOf, isSending, onChange, onMode, onRun } = props;
  const [count, setCount] = useState(1);
  return (
    // a form takes keys from the fields within it
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <form
      className="run-form"
      onSubmit={(event) => {
        event.preventDefault();
        onRun(count);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        event.currentTarget.requestSubmit();
      }}
    >
      {description && <p className="run-description">{description}</p>}
      {asked.length === 0 && <p className="hint">This workflow asks for nothing; it can be run as it is.</p>}
      {asked.map(({ input, title }) => (
        <div key={input.name} data-drop>
          <Control
            input={input}
            title={title}
            value={values[input.name]}
            error={faults[input.name] ?? null}
            roomy
            seed={(field) => (
              <SeedField
                {...field}
                control={{
                  mode: modes[input.name] ?? "fixed",
                  history: seedsOf(input.name),
                  onMode: (mode) => onMode(input.name, mode),
                }}
              />
            )}
            onChange={(value) => onChange(input.name, value)}
          />
        </div>
      ))}
      {others.map((text) => (
        <p key={text} className="field-problem" role="alert">
          {text}
        </p>
      ))}
      <div className="run-actions">
        <button type="submit" className="primary run-button" disabled={isSending} aria-keyshortcuts="Control+Enter">
          {count > 1 ? `Run ${count} times` : "Run"}
        </button>
        <span className="run-count control-roomy">
          <NumberField
            id="run-count"
            name="How many runs"
            type={{ kind: "int", limits: { ge: 1, le: MOST } }}
            widget={null}
            value={count}
            roomy
            onChange={(value) => setCount(Number(value))}
          />
          <label htmlFor="run-count">{count > 1 ? "runs" : "run"}</label>
        </span>
      </div>
    </form>
  );
}
