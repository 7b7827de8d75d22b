import type { Json, PortType } from "../api/types";
import { describe } from "../graph/portTypes";
import { ValueField } from "./ValueField";
import type { FieldProps, Typed } from "./field";
import { firstValue, memberFor, optionsOf, takesNone } from "./kinds";

const WORDS: Readonly<Record<string, string>> = { str: "text", int: "whole number", float: "number", list: "list" };

/** A value of one of several types; nothing is a switch that is off. */
export function UnionField(props: FieldProps) {
  const type = props.type as Typed<"union">;
  const options = optionsOf(type.members);
  const chosen = memberFor(type.members, props.value);
  const first = options[0];
  return (
    <>
      {options.length > 1 && chosen && (
        <select
          className="field-type"
          aria-label={`${props.name}: type`}
          value={options.indexOf(chosen)}
          onChange={(event) => {
            const next = options[Number(event.target.value)];
            if (next) props.onChange(converted(props.value, next));
          }}
        >
          {options.map((each, index) => (
            <option key={index} value={index}>
              {WORDS[each.kind] ?? describe(each)}
            </option>
          ))}
        </select>
      )}
      {chosen ? <ValueField {...props} type={chosen} /> : <span className="field-off">off</span>}
      {takesNone(type) && first && (
        <input
          type="checkbox"
          role="switch"
          className="field-switch"
          checked={chosen !== undefined}
          aria-label={`${props.name}: give one`}
          onChange={(event) => props.onChange(event.target.checked ? firstValue(first) : null)}
        />
      )}
    </>
  );
}

/** What of a value can be kept as another type: a list of it, or its first item. */
function converted(value: Json | undefined, next: PortType): Json {
  if (next.kind === "list" && value !== undefined && value !== null && !Array.isArray(value)) return [value];
  if (Array.isArray(value) && next.kind !== "list") return (value as readonly Json[])[0] ?? firstValue(next);
  return firstValue(next);
}
