import type { Json } from "../api/types";
import { problem } from "../graph/literals";
import { FieldProblem } from "./FieldProblem";
import { type FieldProps, labelled } from "./field";
import { useDraft } from "./useDraft";

/** Any value: what reads as a number, true, false, null, a list or an object is that; everything else is a text. */
export function JsonField(props: FieldProps) {
  const parse = (text: string) => {
    const value = valueOf(text);
    const reason = problem(value, props.type);
    return reason ? { problem: reason } : { value };
  };
  const draft = useDraft(props.value, textOf, parse, props.onChange);
  return (
    <div className="field-text-group">
      <input
        id={props.id}
        className="field-text"
        autoComplete="off"
        spellCheck={false}
        placeholder="any value"
        value={draft.text}
        aria-invalid={draft.problem !== null || undefined}
        {...labelled(props)}
        onChange={(event) => draft.write(event.target.value)}
        onBlur={draft.settle}
      />
      <FieldProblem text={draft.problem} />
    </div>
  );
}

export function valueOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

export function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" && valueOf(value) === value ? value : JSON.stringify(value);
}
