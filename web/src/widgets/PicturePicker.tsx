import { useState } from "react";
import { inputPictures, thumbnailUrl } from "../api/media";
import { closeDialog } from "../shell/dialogs";
import { autofocused } from "./autofocused";
import { useList } from "./useList";
import { useListKeys } from "./useListKeys";

interface Props {
  readonly chosen: string;
  readonly onPick: (file: string) => void;
}

const COLUMNS = 6;

/** The pictures of the input folder, the newest first. */
export function PicturePicker({ chosen, onPick }: Props) {
  const { found, error } = useList(inputPictures);
  const [text, setText] = useState("");
  const shown = (found ?? []).filter((each) => each.file.toLowerCase().includes(text.trim().toLowerCase()));
  const keys = useListKeys(
    shown.length,
    (index) => {
      const file = shown[index]?.file;
      if (!file) return;
      onPick(file);
      closeDialog();
    },
    COLUMNS,
  );
  return (
    <div className="picker">
      <input
        className="picker-search"
        type="search"
        placeholder="Search pictures by name"
        aria-label="Search pictures"
        value={text}
        ref={autofocused}
        onChange={(event) => setText(event.target.value)}
        {...keys.search}
      />
      {error && <p className="field-problem">{error}</p>}
      {!found && !error && <p aria-busy="true">Looking…</p>}
      <ul className="picker-grid" role="listbox" aria-label="Pictures" {...keys.list}>
        {shown.map(({ file, width, height }, index) => (
          <li key={file} role="option" aria-selected={file === chosen} title={file} {...keys.option(index)}>
            <img src={thumbnailUrl(file, 192)} alt="" loading="lazy" />
            <span>{file.slice(file.lastIndexOf("/") + 1)}</span>
            <small>
              {width} × {height}
            </small>
          </li>
        ))}
      </ul>
      {found && shown.length === 0 && (
        <p className="picker-none">
          {found.length === 0 ? "there are no pictures yet; upload or drop one" : "nothing fits"}
        </p>
      )}
    </div>
  );
}
