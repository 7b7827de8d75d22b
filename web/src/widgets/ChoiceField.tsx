import { type KeyboardEvent, useId, useRef, useState } from "react";
import type { PortType } from "../api/types";
import { Popover } from "./Popover";
import { autofocused } from "./autofocused";
import { type FieldProps, type Typed, labelled } from "./field";
import { ICONS } from "./icons";

const SHORT = { count: 3, compact: 16, roomy: 40 };

type Choice = Typed<"choice">;

/** One of a few values: side by side when they are few and short, else as a list that can be searched. */
export function ChoiceField(props: FieldProps<PortType>) {
  const { values } = props.type as Choice;
  const letters = values.map(String).join("").length;
  const isShort = values.length <= SHORT.count && letters <= (props.roomy ? SHORT.roomy : SHORT.compact);
  return isShort ? <Segments {...props} /> : <Select {...props} />;
}

function Segments(props: FieldProps) {
  const { values } = props.type as Choice;
  return (
    <span className="segments" role="radiogroup" id={props.id} {...labelled(props)}>
      {values.map((value, index) => (
        <button
          key={String(value)}
          type="button"
          role="radio"
          aria-checked={value === props.value}
          tabIndex={value === props.value || (index === 0 && !values.includes(props.value as string)) ? 0 : -1}
          onClick={() => props.onChange(value)}
          onKeyDown={(event) => {
            const by = direction(event);
            if (!by) return;
            event.preventDefault();
            event.stopPropagation();
            const at = (index + by + values.length) % values.length;
            props.onChange(values[at] ?? null);
            (event.currentTarget.parentElement?.children[at] as HTMLElement | undefined)?.focus();
          }}
        >
          {String(value)}
        </button>
      ))}
    </span>
  );
}

function direction(event: KeyboardEvent): number {
  if (event.key === "ArrowRight" || event.key === "ArrowDown") return 1;
  return event.key === "ArrowLeft" || event.key === "ArrowUp" ? -1 : 0;
}

function Select(props: FieldProps) {
  const { values } = props.type as Choice;
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useId();
  const step = (by: number) => {
    const next = values[Math.min(values.length - 1, Math.max(0, values.indexOf(props.value as string) + by))];
    if (next !== undefined) props.onChange(next);
  };
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <>
      <button
        id={props.id}
        ref={button}
        type="button"
        className="field-select"
        role="combobox"
        aria-haspopup="listbox"
        aria-expanded={isOpen}
        aria-controls={list}
        {...labelled(props)}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
          event.preventDefault();
          event.stopPropagation();
          if (event.altKey) setOpen(true);
          else step(event.key === "ArrowDown" ? 1 : -1);
        }}
      >
        <span>{props.value === undefined || props.value === null ? "choose" : String(props.value)}</span>
        {ICONS.down}
      </button>
      {isOpen && (
        <Popover anchor={() => button.current} onClose={() => setOpen(false)} className="choices">
          <Options
            list={list}
            name={props.name}
            values={values}
            chosen={props.value}
            onChoose={(value) => {
              props.onChange(value);
              close();
            }}
            onClose={close}
          />
        </Popover>
      )}
    </>
  );
}

interface OptionsProps {
  readonly list: string;
  readonly name: string;
  readonly values: Choice["values"];
  readonly chosen: unknown;
  readonly onChoose: (value: string | number | boolean) => void;
  readonly onClose: () => void;
}

/** The values as a list, with a text that filters them. */
function Options({ list, name, values, chosen, onChoose, onClose }: OptionsProps) {
  const [text, setText] = useState("");
  const found = values.filter((each) => String(each).toLowerCase().includes(text.trim().toLowerCase()));
  const [at, setAt] = useState(Math.max(0, values.indexOf(chosen as string)));
  const marked = Math.min(at, found.length - 1);
  const onKey = (event: KeyboardEvent) => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const value = found[marked];
    if (by) setAt(Math.min(found.length - 1, Math.max(0, marked + by)));
    else if (event.key === "Enter" && value !== undefined) onChoose(value);
    else if (event.key === "Tab" || event.key === "Escape") onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <>
      <input
        className="choices-filter"
        placeholder="Filter"
        aria-label={`filter ${name}`}
        role="combobox"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={marked >= 0 ? `${list}-${marked}` : undefined}
        value={text}
        ref={autofocused}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKey}
      />
      <ul id={list} role="listbox" aria-label={name}>
        {found.map((value, index) => (
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the keys are the filter's
          <li
            key={String(value)}
            id={`${list}-${index}`}
            role="option"
            aria-selected={value === chosen}
            className={index === marked ? "choice-marked" : undefined}
            ref={index === marked ? showMarked : undefined}
            onClick={() => onChoose(value)}
            onPointerMove={() => setAt(index)}
          >
            {String(value)}
          </li>
        ))}
        {found.length === 0 && <li className="choices-none">nothing fits</li>}
      </ul>
    </>
  );
}

function showMarked(element: HTMLLIElement | null): void {
  element?.scrollIntoView({ block: "nearest" });
}
