import { type FieldProps, labelled } from "./field";

/** On or off. */
export function SwitchField(props: FieldProps) {
  return (
    <input
      id={props.id}
      type="checkbox"
      role="switch"
      className="field-switch"
      checked={props.value === true}
      {...labelled(props)}
      onChange={(event) => props.onChange(event.target.checked)}
    />
  );
}
