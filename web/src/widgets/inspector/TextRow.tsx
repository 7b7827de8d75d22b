import { type KeyboardEvent, useId, useState } from "react";
import { FieldProblem } from "../FieldProblem";

interface Props {
  readonly label: string;
  readonly value: string;
  readonly placeholder?: string;
  readonly rows?: number;
  readonly problem?: (text: string) => string | null;
  /** With every letter. */
  readonly onChange?: (text: string) => void;
  /** When it is done, and another valid text than before. */
  readonly onSettle?: (text: string) => void;
}

/** A text with its label; what is not valid is not taken, and said. */
export function TextRow({ label, value, placeholder, rows, problem, onChange, onSettle }: Props) {
  const id = useId();
  const [draft, setDraft] = useState<string | null>(null);
  const text = draft ?? value;
  const reason = draft !== null && draft !== value ? (problem?.(draft) ?? null) : null;
  const settle = () => {
    if (draft !== null && draft !== value && !reason) onSettle?.(draft);
    if (!reason) setDraft(null);
  };
  const field = {
    id,
    placeholder,
    value: text,
    "aria-invalid": reason !== null || undefined,
    onChange: (event: { readonly target: { readonly value: string } }) => {
      if (onChange) onChange(event.target.value);
      else setDraft(event.target.value);
    },
    onBlur: settle,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === "Enter" && !rows) settle();
      else if (event.key === "Escape") setDraft(null);
    },
  };
  return (
    <div className="inspector-row">
      <label htmlFor={id}>{label}</label>
      {rows ? <textarea {...field} rows={rows} /> : <input {...field} autoComplete="off" spellCheck={false} />}
      <FieldProblem text={reason} />
    </div>
  );
}
