import { useState } from "react";
import { type ModelFile, modelFiles } from "../api/media";
import { bytes } from "../running/times";
import { closeDialog } from "../shell/dialogs";
import { autofocused } from "./autofocused";
import { useList } from "./useList";
import { useListKeys } from "./useListKeys";

interface Props {
  readonly kind: string;
  readonly chosen: string;
  readonly onPick: (name: string) => void;
}

/** The model files of a kind with what is known from their headers; a name that is not among them is marked. */
export function ModelPicker({ kind, chosen, onPick }: Props) {
  const { found, error } = useList((signal) => modelFiles(kind, signal));
  const [text, setText] = useState("");
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = (found ?? []).filter((each) => words.every((word) => searched(each).includes(word)));
  const pick = (index: number) => {
    const file = shown[index];
    if (!file) return;
    onPick(file.name);
    closeDialog();
  };
  const keys = useListKeys(shown.length, pick);
  const isMissing = found !== null && chosen !== "" && !found.some((each) => each.name === chosen);
  return (
    <div className="picker">
      <input
        className="picker-search"
        type="search"
        placeholder="Search by name, family or precision"
        aria-label="Search model files"
        value={text}
        ref={autofocused}
        onChange={(event) => setText(event.target.value)}
        {...keys.search}
      />
      {isMissing && <p className="picker-missing">{chosen} is not in the folders any more</p>}
      {error && <p className="field-problem">{error}</p>}
      {!found && !error && <p aria-busy="true">Looking…</p>}
      <ul className="picker-list" role="listbox" aria-label="Model files" {...keys.list}>
        {shown.map((file, index) => (
          <ModelRow key={file.name} file={file} isChosen={file.name === chosen} {...keys.option(index)} />
        ))}
      </ul>
      {found && shown.length === 0 && (
        <p className="picker-none">
          {found.length === 0
            ? `no ${kind.replaceAll("_", " ")} files were found in the model folders`
            : "nothing fits"}
        </p>
      )}
    </div>
  );
}

type RowProps = ReturnType<ReturnType<typeof useListKeys>["option"]> & {
  readonly file: ModelFile;
  readonly isChosen: boolean;
};

function ModelRow({ file, isChosen, ...option }: RowProps) {
  const slash = file.name.lastIndexOf("/");
  const size = bytes(file.bytes);
  const told = [file.name, ...(file.error ? [file.error] : [file.family, file.precision]), size].join(", ");
  return (
    <li {...option} role="option" aria-selected={isChosen} aria-label={told}>
      <span className="picker-name">
        {slash >= 0 && <small>{file.name.slice(0, slash + 1)}</small>}
        {file.name.slice(slash + 1)}
      </span>
      {file.error ? (
        <span className="picker-error">{file.error}</span>
      ) : (
        <>
          <span className="picker-tag">{file.family}</span>
          <span className="picker-tag">{file.precision}</span>
        </>
      )}
      <span className="picker-size">{size}</span>
    </li>
  );
}

function searched({ name, family, precision }: ModelFile): string {
  return `${name} ${family} ${precision}`.toLowerCase();
}
