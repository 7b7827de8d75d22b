import type { PortType } from "../api/types";
import { problem } from "../graph/literals";
import { FieldProblem } from "./FieldProblem";
import { type FieldProps, labelled } from "./field";
import { useDraft } from "./useDraft";

/** A text in one line. */
export function TextField(props: FieldProps) {
  const { id, type, value, onChange } = props;
  const draft = useDraft(value, (each) => (typeof each === "string" ? each : ""), parseText(type), onChange);
  return (
    <div className="field-text-group">
      <input
        id={id}
        className="field-text"
        autoComplete="off"
        spellCheck={false}
        placeholder={value === undefined || value === null ? "needed" : undefined}
        value={draft.text}
        aria-invalid={draft.problem !== null || undefined}
        {...labelled(props)}
        onChange={(event) => draft.write(event.target.value)}
        onBlur={draft.settle}
        onKeyDown={(event) => {
          if (event.key === "Escape") draft.revert();
        }}
      />
      <FieldProblem text={draft.problem} />
    </div>
  );
}

export function parseText(type: PortType) {
  return (text: string) => {
    const reason = problem(text, type);
    return reason ? { problem: reason } : { value: text };
  };
}
