import type { KeyboardEvent } from "react";
import { FieldProblem } from "./FieldProblem";
import { parseText } from "./TextField";
import { type FieldProps, labelled } from "./field";
import { useDraft } from "./useDraft";
import { weigh } from "./weighting";

const WEIGHT_STEP = 0.05;

/** A text over several lines that grows with what is written; Ctrl and up or down change the weight of words. */
export function PromptField(props: FieldProps) {
  const { id, type, widget, value, onChange } = props;
  const draft = useDraft(value, (each) => (typeof each === "string" ? each : ""), parseText(type), onChange);
  return (
    <div className="field-text-group">
      <textarea
        id={id}
        className="field-prompt nowheel"
        style={{ minHeight: `calc(${Math.min(3, widget?.kind === "multiline" ? widget.rows : 3)}lh + 12px)` }}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        value={draft.text}
        aria-invalid={draft.problem !== null || undefined}
        aria-keyshortcuts="Control+ArrowUp Control+ArrowDown"
        {...labelled(props)}
        onChange={(event) => draft.write(event.target.value)}
        onBlur={draft.settle}
        onKeyDown={changeWeight}
      />
      <FieldProblem text={draft.problem} />
    </div>
  );
}

function changeWeight(event: KeyboardEvent<HTMLTextAreaElement>): void {
  const isUp = event.key === "ArrowUp";
  if (!(event.ctrlKey || event.metaKey) || !(isUp || event.key === "ArrowDown")) return;
  event.preventDefault();
  event.stopPropagation();
  const area = event.currentTarget;
  const { value, selectionStart, selectionEnd } = area;
  const next = weigh({ text: value, start: selectionStart, end: selectionEnd }, isUp ? WEIGHT_STEP : -WEIGHT_STEP);
  if (next.text !== value) replaceText(area, next.text);
  area.setSelectionRange(next.start, next.end);
}

/** Exchange what differs as if it was typed, so that the browser's own undo takes it back. */
function replaceText(area: HTMLTextAreaElement, text: string): void {
  const old = area.value;
  let start = 0;
  while (start < old.length && old[start] === text[start]) start += 1;
  let same = 0;
  const most = Math.min(old.length, text.length) - start;
  while (same < most && old[old.length - 1 - same] === text[text.length - 1 - same]) same += 1;
  area.setSelectionRange(start, old.length - same);
  const part = text.slice(start, text.length - same);
  // there is no other way to write into the history of a text area

  document.execCommand(part ? "insertText" : "delete", false, part);
}
