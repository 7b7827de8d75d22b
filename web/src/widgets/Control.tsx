import { type CSSProperties, type ReactNode, useId } from "react";
import type { InputDefinition, Json } from "../api/types";
import { problem } from "../graph/literals";
import { FieldProblem } from "./FieldProblem";
import { ValueField } from "./ValueField";
import { type FieldProps, shownName } from "./field";
import { ICONS } from "./icons";
import { fieldKind, isTall, withoutNone } from "./kinds";
import { startNumberDrag } from "./numberDrag";
import { numberRange } from "./numbers";
import "./widgets.css";

interface Props {
  readonly input: InputDefinition;
  /** What people call it, where it has another title. */
  readonly title?: string | undefined;
  readonly help?: string | undefined;
  /** What is written; undefined where nothing is and the default counts. */
  readonly value: Json | undefined;
  readonly roomy: boolean;
  readonly extra?: ReactNode;
  /** The field for a seed, which knows more than its value. */
  readonly seed?: (props: FieldProps) => ReactNode;
  readonly error?: string | null;
  readonly onChange: (value: Json | undefined) => void;
}

/** An input with its name and the field for its value: greyed where it is the default, with a way back to it. */
export function Control({ input, title, help = input.doc, value, roomy, extra, seed, error = null, onChange }: Props) {
  const id = useId();
  const { type, widget } = input;
  const name = title || shownName(input.name);
  const kind = fieldKind(type, widget);
  const held = value === undefined && !input.required ? input.default : value;
  const isWritten = value !== undefined;
  const isBar = !roomy && kind === "number";
  const fault = isWritten ? problem(value, type) : null;
  const field: FieldProps = {
    id,
    name,
    type,
    widget,
    value: held,
    roomy,
    extra,
    onChange,
    ...(roomy ? { describedBy: `${id}-help` } : { description: help }),
  };
  const range = isBar ? numberRange(withoutNone(type), widget) : null;
  const number = typeof held === "number" ? held : 0;
  return (
    <div
      className={`control ${roomy ? "control-roomy" : isTall(type, widget, held) ? "control-tall" : "control-line"} nodrag`}
      data-kind={kind}
      data-written={isWritten || undefined}
      data-wrong={fault !== null || error !== null || undefined}
      style={range && widget?.kind === "slider" ? fill(number, range.least, range.most) : undefined}
      onPointerDown={
        range
          ? (event) => startNumberDrag(event, { value: number, range, isScale: widget?.kind === "slider", onChange })
          : undefined
      }
    >
      <label className="control-name" htmlFor={id} title={help}>
        {name}
      </label>
      <div className="control-field">{kind === "seed" && seed ? seed(field) : <ValueField {...field} />}</div>
      {isWritten && !input.required && (
        <button
          type="button"
          className="field-icon control-reset"
          title={`Back to the default, ${shown(input.default)}`}
          aria-label={`${name}: back to the default`}
          onClick={() => onChange(undefined)}
        >
          {ICONS.reset}
        </button>
      )}
      {roomy && help && (
        <p className="control-help" id={`${id}-help`}>
          {help}
        </p>
      )}
      <FieldProblem text={error ?? fault} />
    </div>
  );
}

function fill(value: number, least: number, most: number) {
  const part = (value - least) / (most - least);
  return { "--fill": `${Math.round(Math.min(1, Math.max(0, part)) * 1000) / 10}%` } as CSSProperties;
}

function shown(value: Json): string {
  return value === null ? "nothing" : typeof value === "string" ? value || "an empty text" : JSON.stringify(value);
}
