import type { Json, PortType } from "../api/types";
import { listType } from "../graph/portTypes";
import { problem } from "../graph/literals";
import { FieldProblem } from "./FieldProblem";
import { ValueField } from "./ValueField";
import { type FieldProps, labelled } from "./field";
import { ICONS } from "./icons";
import { firstValue, isNumber } from "./kinds";
import { calculate, shownNumber } from "./numbers";
import { type Parsed, useDraft } from "./useDraft";

/** A list: numbers in one line with commas between them, everything else one per row. */
export function ListField(props: FieldProps) {
  const item = listType(props.type)?.item;
  if (!item) return null;
  return isNumber(item) ? <NumberList {...props} /> : <Rows {...props} item={item} />;
}

function NumberList(props: FieldProps) {
  const parse = (text: string): Parsed => {
    const parts = text.split(/[,;]/).map((each) => each.trim());
    const numbers = parts.length === 1 && !parts[0] ? [] : parts.map(calculate);
    const wrong = numbers.indexOf(null);
    if (wrong >= 0) return { problem: `${parts[wrong] || "nothing"} is no number; write numbers with commas` };
    const reason = problem(numbers, props.type);
    return reason ? { problem: reason } : { value: numbers };
  };
  const draft = useDraft(props.value, shown, parse, props.onChange);
  return (
    <div className="field-text-group">
      <input
        id={props.id}
        className="field-text field-numbers"
        inputMode="text"
        autoComplete="off"
        placeholder="numbers, with commas"
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

function shown(value: Json | undefined): string {
  return Array.isArray(value) ? (value as readonly number[]).map(shownNumber).join(", ") : "";
}

function Rows({ item, ...props }: FieldProps & { readonly item: PortType }) {
  const items = Array.isArray(props.value) ? (props.value as readonly Json[]) : [];
  const change = (index: number, value: Json) => props.onChange(items.with(index, value));
  const first = item.kind === "path" ? null : firstValue(item);
  return (
    <div className="field-rows" role="group" id={props.id} {...labelled(props)}>
      {items.map((each, index) => (
        // rows have no names of their own
        <div className="field-row" key={index}>
          <ValueField
            {...props}
            extra={null}
            id={`${props.id}-${index}`}
            name={`${props.name} ${index + 1}`}
            type={item}
            value={each}
            onChange={(value) => change(index, value)}
          />
          <button
            type="button"
            className="field-icon"
            aria-label={`remove ${props.name} ${index + 1}`}
            title="Remove"
            onClick={() => props.onChange(items.toSpliced(index, 1))}
          >
            {ICONS.remove}
          </button>
        </div>
      ))}
      {first === null ? (
        <ValueField
          {...props}
          extra={null}
          id={`${props.id}-new`}
          name={`add ${props.name}`}
          type={item}
          value={undefined}
          onChange={(value) => props.onChange([...items, value])}
        />
      ) : (
        <button type="button" className="field-add" onClick={() => props.onChange([...items, first])}>
          {ICONS.plus} Add
        </button>
      )}
      <FieldProblem text={items.length > 0 ? problem(items, props.type) : null} />
    </div>
  );
}
