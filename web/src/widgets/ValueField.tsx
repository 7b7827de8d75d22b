import { ChoiceField } from "./ChoiceField";
import { FileField } from "./FileField";
import { JsonField } from "./JsonField";
import { ListField } from "./ListField";
import { MapField } from "./MapField";
import { NumberField } from "./NumberField";
import { PictureField } from "./PictureField";
import { PromptField } from "./PromptField";
import { RecordField } from "./RecordField";
import { SwitchField } from "./SwitchField";
import { TextField } from "./TextField";
import { UnionField } from "./UnionField";
import type { FieldProps } from "./field";
import { fieldKind, withoutNone } from "./kinds";

const FIELDS = {
  number: NumberField,
  seed: NumberField,
  switch: SwitchField,
  choice: ChoiceField,
  text: TextField,
  prompt: PromptField,
  file: FileField,
  picture: PictureField,
  list: ListField,
  map: MapField,
  record: RecordField,
  union: UnionField,
  json: JsonField,
  none: () => null,
} as const;

/** The field for a value of a type. */
export function ValueField(props: FieldProps) {
  const kind = fieldKind(props.type, props.widget);
  const Field = FIELDS[kind];
  const isBare = kind === "union" || kind === "file" || kind === "picture";
  return <Field {...props} type={isBare ? props.type : withoutNone(props.type)} />;
}
