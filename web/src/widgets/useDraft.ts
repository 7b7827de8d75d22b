import { useState } from "react";
import type { Json } from "../api/types";

export type Parsed = { readonly value: Json } | { readonly problem: string };

interface Draft {
  readonly text: string;
  /** The value when it was begun, and what its text stands for. */
  readonly base: Json | undefined;
  readonly parsed: Parsed;
}

/**
 * A text that is being written for a value. What is a value is passed on at once; anything else stays in the field with
 * what is wrong with it, and the value stays as it was. A value that changes from elsewhere takes the field back.
 */
export function useDraft(
  value: Json | undefined,
  show: (value: Json | undefined) => string,
  parse: (text: string) => Parsed,
  onChange: (value: Json) => void,
) {
  const [draft, setDraft] = useState<Draft | null>(null);
  const isOwn = draft && (draft.base === value || ("value" in draft.parsed && draft.parsed.value === value));
  const current = isOwn ? draft : null;
  return {
    text: current?.text ?? show(value),
    problem: current && "problem" in current.parsed ? current.parsed.problem : null,
    write(text: string) {
      const parsed = parse(text);
      setDraft({ text, base: value, parsed });
      if ("value" in parsed && parsed.value !== value) onChange(parsed.value);
    },
    /** The field is left: a valid text gives way to the value as it is shown. */
    settle() {
      if (current && "value" in current.parsed) setDraft(null);
    },
    revert() {
      setDraft(null);
    },
  };
}
