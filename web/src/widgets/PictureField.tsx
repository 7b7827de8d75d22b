import { useRef, useState } from "react";
import { thumbnailUrl } from "../api/media";
import { openDialog } from "../shell/dialogs";
import { PicturePicker } from "./PicturePicker";
import { type FieldProps, labelled } from "./field";
import { ICONS } from "./icons";
import { takesNone } from "./kinds";
import { pictureIn, sendPicture } from "./pictureFiles";
import { useDropped } from "./useDropped";

/**
 * A picture of the input folder, shown. Another one is chosen, uploaded, pasted, or dropped on it or anywhere on its
 * node.
 */
export function PictureField(props: FieldProps) {
  const { id, name, onChange, roomy } = props;
  const value = typeof props.value === "string" ? props.value : "";
  const [isBusy, setBusy] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const send = (file: File | undefined) => {
    if (!file) return;
    setBusy(true);
    void sendPicture(file, onChange).finally(() => setBusy(false));
  };
  const isOver = useDropped(box, send);
  const pick = () =>
    openDialog({ title: "Choose a picture", content: <PicturePicker chosen={value} onPick={onChange} />, wide: true });
  return (
    <div
      ref={box}
      className="field-picture"
      data-over={isOver || undefined}
      aria-busy={isBusy}
      onPaste={(event) => {
        const file = pictureIn(event.clipboardData);
        if (!file) return;
        event.preventDefault();
        event.stopPropagation();
        send(file);
      }}
    >
      <button
        id={id}
        type="button"
        className="field-picture-view"
        {...labelled(props)}
        aria-label={`${name}: ${value || "none chosen"}`}
        aria-haspopup="dialog"
        title={value || "Choose, paste or drop a picture"}
        onClick={pick}
      >
        {value ? <Thumbnail key={value} file={value} size={roomy ? 512 : 256} /> : <Empty />}
      </button>
      <div className="field-picture-bar">
        <span className="field-file" title={value}>
          <bdi>{isBusy ? "sending…" : value || "no picture"}</bdi>
        </span>
        {props.extra}
        <button
          type="button"
          className="field-icon"
          title="Upload a picture"
          aria-label={`${name}: upload a picture`}
          onClick={() => chooser.current?.click()}
        >
          {ICONS.upload}
        </button>
        {takesNone(props.type) && value && (
          <button type="button" className="field-icon" aria-label={`${name}: none`} onClick={() => onChange(null)}>
            {ICONS.remove}
          </button>
        )}
        <input
          ref={chooser}
          type="file"
          accept="image/*"
          hidden
          onChange={(event) => {
            send(event.target.files?.[0]);
            event.target.value = "";
          }}
        />
      </div>
    </div>
  );
}

function Empty() {
  return (
    <span className="field-picture-empty">
      {ICONS.picture}
      Choose, paste or drop a picture
    </span>
  );
}

function Thumbnail({ file, size }: { readonly file: string; readonly size: number }) {
  const [isMissing, setMissing] = useState(false);
  if (isMissing) return <span className="field-picture-empty">{ICONS.picture} no picture to show</span>;
  return (
    <img src={thumbnailUrl(file, size)} alt="" draggable={false} loading="lazy" onError={() => setMissing(true)} />
  );
}
