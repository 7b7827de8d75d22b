import { useCanvas } from "./state";

interface Props {
  readonly value: string;
  readonly placeholder: string;
  readonly onDone: (text: string) => void;
}

/** Writes a title in place; Enter and leaving it keep what was written, Escape does not. */
export function TitleField({ value, placeholder, onDone }: Props) {
  const close = () => useCanvas.setState({ renaming: null });
  return (
    <input
      className="title-field nodrag"
      aria-label="Title"
      defaultValue={value}
      placeholder={placeholder}
      ref={(element) => element?.focus()}
      onFocus={(event) => event.target.select()}
      onDoubleClick={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape") event.currentTarget.value = value;
        if (event.key === "Enter" || event.key === "Escape") event.currentTarget.blur();
      }}
      onBlur={(event) => {
        if (event.target.value !== value) onDone(event.target.value);
        close();
      }}
    />
  );
}
