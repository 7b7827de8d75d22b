import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { problem } from "../graph/literals";
import { FieldProblem } from "./FieldProblem";
import { type FieldProps, labelled } from "./field";
import { startNumberDrag } from "./numberDrag";
import { calculate, hasScale, moved, numberRange, shownNumber } from "./numbers";
import { type Parsed, useDraft } from "./useDraft";

const KEYS: Readonly<Record<string, number>> = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 };
const PAGES: Readonly<Record<string, number>> = { PageUp: 10, PageDown: -10 };

/**
 * A number: a text until it is worked on. Drag over it, use arrow keys or (when it has the focus) the wheel, or click or
 * type to write it, also as a sum such as 512*2.
 */
export function NumberField(props: FieldProps) {
  const { id, type, widget, value, roomy, onChange } = props;
  const range = numberRange(type, widget);
  const [isWriting, setWriting] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const parse = (text: string): Parsed => {
    const number = calculate(text);
    if (number === null) return { problem: "write a number, or a sum such as 512*2" };
    const reason = problem(number, type);
    return reason ? { problem: reason } : { value: number };
  };
  const draft = useDraft(value, (each) => (typeof each === "number" ? shownNumber(each) : ""), parse, onChange);
  const number = typeof value === "number" ? value : Math.min(range.most, Math.max(range.least, 0));
  const isScale = widget?.kind === "slider" && hasScale(range);
  const step = (by: number, isFine = false) => {
    draft.revert();
    const next = moved(number, by, range, isFine);
    if (next !== value) onChange(next);
  };

  useEffect(() => {
    const element = isFocused && box.current;
    if (!element) return;
    // React listens to wheels passively, and the page must not scroll or zoom meanwhile
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      event.stopPropagation();
      step(event.deltaY < 0 ? 1 : -1, event.shiftKey);
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  });

  const stop = (isDone: boolean, isRefocused: boolean) => {
    if (isDone) draft.settle();
    else draft.revert();
    // at once, so that no key is lost between
    flushSync(() => setWriting(false));
    if (isRefocused) box.current?.focus();
  };
  const begin = (text?: string) => {
    setWriting(true);
    if (text !== undefined) draft.write(text);
  };
  const onKey = (event: KeyboardEvent) => {
    const by = (KEYS[event.key] ?? PAGES[event.key] ?? 0) * (event.ctrlKey ? 10 : 1);
    if (by !== 0) step(by, event.shiftKey);
    else if (event.key === "Home" && Number.isFinite(range.least)) onChange(range.least);
    else if (event.key === "End" && Number.isFinite(range.most)) onChange(range.most);
    else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) begin();
    else if (/^[-.(\d]$/.test(event.key) && !event.ctrlKey && !event.metaKey) begin(event.key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const field = isWriting ? (
    <input
      id={id}
      className="field-number-input"
      inputMode="decimal"
      autoComplete="off"
      value={draft.text}
      ref={selectAtFirst}
      aria-invalid={draft.problem !== null}
      {...labelled(props)}
      onChange={(event) => draft.write(event.target.value)}
      onBlur={() => stop(true, false)}
      onKeyDown={(event) => {
        if (event.ctrlKey || event.metaKey) return;
        event.stopPropagation();
        if (event.key === "Enter" || event.key === "Escape") stop(event.key === "Enter", true);
        else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
          event.preventDefault();
          step(event.key === "ArrowUp" ? 1 : -1, event.shiftKey);
        }
      }}
    />
  ) : (
    <div
      id={id}
      ref={box}
      className="field-number nokey"
      role="spinbutton"
      tabIndex={0}
      aria-valuenow={typeof value === "number" ? value : undefined}
      aria-valuetext={typeof value === "number" ? undefined : "empty"}
      aria-valuemin={Number.isFinite(range.least) ? range.least : undefined}
      aria-valuemax={Number.isFinite(range.most) ? range.most : undefined}
      aria-invalid={draft.problem !== null || undefined}
      {...labelled(props)}
      onClick={() => begin()}
      onFocus={() => setFocused(true)}
      onBlur={() => setFocused(false)}
      onKeyDown={onKey}
      onPointerDown={
        roomy ? (event) => startNumberDrag(event, { value: number, range, isScale: false, onChange }) : undefined
      }
    >
      {draft.text || "needed"}
    </div>
  );
  return (
    <div className="field-number-group">
      {roomy && isScale && (
        <input
          type="range"
          min={range.least}
          max={range.most}
          step={range.step}
          value={number}
          aria-label={`${props.name}, slider`}
          tabIndex={-1}
          onChange={(event) => step((Number(event.target.value) - number) / range.step)}
        />
      )}
      {field}
      <FieldProblem text={draft.problem} />
    </div>
  );
}

/** Once, when the field appears. */
function selectAtFirst(element: HTMLInputElement | null): void {
  if (element && document.activeElement !== element) {
    element.focus();
    if (element.value.length > 1) element.select();
  }
}
