import { useState } from "react";
import type { Json } from "../api/types";
import { isTable } from "./RecordField";
import { ValueField } from "./ValueField";
import { type FieldProps, type Typed, labelled } from "./field";
import { ICONS } from "./icons";
import { firstValue } from "./kinds";

/** Values under names that are written here, too. */
export function MapField(props: FieldProps) {
  const { item } = props.type as Typed<"map">;
  const [name, setName] = useState("");
  const value = isTable(props.value) ? props.value : {};
  const write = (entries: readonly (readonly [string, Json])[]) => props.onChange(Object.fromEntries(entries));
  const entries = Object.entries(value);
  const canAdd = name.trim() !== "" && !(name.trim() in value);
  const add = () => {
    if (!canAdd) return;
    write([...entries, [name.trim(), firstValue(item)]]);
    setName("");
  };
  return (
    <div className="field-form" role="group" id={props.id} {...labelled(props)}>
      {entries.map(([key, each]) => (
        <div className="field-form-row" key={key}>
          <label htmlFor={`${props.id}-${key}`}>{key}</label>
          <ValueField
            {...props}
            extra={null}
            id={`${props.id}-${key}`}
            name={key}
            type={item}
            widget={null}
            value={each}
            onChange={(next) => write(entries.map((entry) => (entry[0] === key ? [key, next] : entry)))}
          />
          <button
            type="button"
            className="field-icon"
            aria-label={`remove ${key}`}
            title="Remove"
            onClick={() => write(entries.filter((entry) => entry[0] !== key))}
          >
            {ICONS.remove}
          </button>
        </div>
      ))}
      <div className="field-row">
        <input
          className="field-text"
          placeholder="another name"
          aria-label={`a name to add to ${props.name}`}
          value={name}
          onChange={(event) => setName(event.target.value)}
          onKeyDown={(event) => event.key === "Enter" && add()}
        />
        <button type="button" className="field-add" disabled={!canAdd} onClick={add}>
          {ICONS.plus} Add
        </button>
      </div>
    </div>
  );
}
