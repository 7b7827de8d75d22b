import type { Json } from "../api/types";
import { tidy } from "../graph/edits";
import { ValueField } from "./ValueField";
import { type FieldProps, type Typed, labelled } from "./field";

/** An object with known fields, as a small form. */
export function RecordField(props: FieldProps) {
  const { fields } = props.type as Typed<"model">;
  const value = isTable(props.value) ? props.value : {};
  return (
    <div className="field-form" role="group" id={props.id} {...labelled(props)}>
      {fields.map((field) => (
        <div className="field-form-row" key={field.name} title={field.doc}>
          <label htmlFor={`${props.id}-${field.name}`}>{field.name}</label>
          <ValueField
            {...props}
            extra={null}
            id={`${props.id}-${field.name}`}
            name={field.name}
            description={field.doc}
            type={field.type}
            widget={null}
            value={value[field.name] ?? field.default}
            onChange={(next) => props.onChange(tidy({ ...value, [field.name]: next }))}
          />
        </div>
      ))}
    </div>
  );
}

export function isTable(value: Json | undefined): value is Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
