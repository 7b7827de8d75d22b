import { openDialog } from "../shell/dialogs";
import { ModelPicker } from "./ModelPicker";
import { type FieldProps, type Typed, labelled } from "./field";
import { ICONS } from "./icons";
import { takesNone, withoutNone } from "./kinds";

/** The name of a model file, chosen in a dialog that lists those that there are. */
export function FileField(props: FieldProps) {
  const { of } = withoutNone(props.type) as Typed<"path">;
  const value = typeof props.value === "string" ? props.value : "";
  const kind = of.replaceAll("_", " ");
  const pick = () =>
    openDialog({
      title: `Choose a ${kind}`,
      content: <ModelPicker kind={of} chosen={value} onPick={props.onChange} />,
      wide: true,
    });
  return (
    <>
      <button
        id={props.id}
        type="button"
        className="field-select"
        {...labelled(props)}
        aria-label={`${props.name}: ${value || "none chosen"}`}
        title={value}
        aria-haspopup="dialog"
        onClick={pick}
      >
        <span className={value ? "field-file" : "field-empty"}>{value ? <bdi>{value}</bdi> : `choose a ${kind}`}</span>
        {ICONS.cube}
      </button>
      {takesNone(props.type) && value !== "" && (
        <button
          type="button"
          className="field-icon"
          aria-label={`${props.name}: none`}
          title="None"
          onClick={() => props.onChange(null)}
        >
          {ICONS.remove}
        </button>
      )}
    </>
  );
}
