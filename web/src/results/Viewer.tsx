import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { fileUrl } from "../api/pictures";
import { closeDialog } from "../shell/dialogs";
import { notify, notifyError } from "../store/notices";
import { openJob } from "../running/opening";
import { Icon } from "../theme/Icon";
import { IconButton } from "../theme/IconButton";
import { Compare, type Way } from "./Compare";
import { PictureInfo } from "./PictureInfo";
import type { Picture } from "./picture";
import { useZoom } from "./useZoom";
import "./viewer.css";
import { FITTED, zoomAt } from "./zoom";

interface Props {
  readonly pictures: readonly Picture[];
  readonly first: number;
}

const WAYS: readonly { readonly way: Way; readonly label: string }[] = [
  { way: "slider", label: "Slider" },
  { way: "side", label: "Side by side" },
  { way: "difference", label: "Difference" },
];

/** A picture as large as there is room, alone or beside another one; arrow keys go through all of them. */
export function Viewer({ pictures, first }: Props) {
  const [at, setAt] = useState(first);
  const [other, setOther] = useState<number | null>(null);
  const [way, setWay] = useState<Way>("slider");
  const [hasInfo, setInfo] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const { zoom, setZoom, onPointerMove } = useZoom(stage);
  const picture = pictures[at];
  const second = other === null ? undefined : pictures[other];

  // the dialog takes the focus when it opens, which comes after this
  useEffect(() => {
    const timer = setTimeout(() => root.current?.focus());
    return () => clearTimeout(timer);
  }, []);
  if (!picture) return null;

  const go = (step: number) => setAt((at + step + pictures.length) % pictures.length);
  const onKeyDown = (event: KeyboardEvent) => {
    const keys: Record<string, () => void> = {
      ArrowLeft: () => go(-1),
      ArrowRight: () => go(1),
      "+": () => setZoom((old) => zoomAt(old, 1.25, FITTED)),
      "-": () => setZoom((old) => zoomAt(old, 0.8, FITTED)),
      "0": () => setZoom(FITTED),
      i: () => setInfo(!hasInfo),
    };
    const found = event.target instanceof HTMLInputElement ? undefined : keys[event.key];
    if (!found) return;
    event.preventDefault();
    found();
  };
  const compare = () => setOther(other === null && pictures.length > 1 ? (at + 1) % pictures.length : null);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- keys of the picture, as buttons too
    <div ref={root} className="viewer" role="group" aria-label="Picture" tabIndex={-1} onKeyDown={onKeyDown}>
      <div className="viewer-tools" role="toolbar" aria-label="Picture">
        <span className="viewer-name">
          {picture.name} <span className="hint">{`${at + 1} of ${pictures.length}`}</span>
        </span>
        {second &&
          WAYS.map(({ way: each, label }) => (
            <button key={each} type="button" aria-pressed={way === each} onClick={() => setWay(each)}>
              {label}
            </button>
          ))}
        <button type="button" onClick={() => setZoom(FITTED)}>{`Fit · ${Math.round(zoom.scale * 100)} %`}</button>
        <IconButton
          icon="compare"
          label="Compare with another picture"
          pressed={second !== undefined}
          disabled={pictures.length < 2}
          onClick={compare}
        />
        <IconButton icon="info" label="What made it" pressed={hasInfo} onClick={() => setInfo(!hasInfo)} />
        <IconButton icon="copy" label="Copy the picture" onClick={() => void copyPicture(picture.url)} />
        <a
          className="icon-button"
          href={download(picture)}
          download={picture.name}
          aria-label="Download"
          title="Download"
        >
          <Icon name="download" />
        </a>
        {picture.job && (
          <IconButton icon="open" label="Open its workflow in a new tab" onClick={() => openIts(picture)} />
        )}
      </div>
      <div className="viewer-main">
        <div ref={stage} className="viewer-stage" onPointerMove={onPointerMove}>
          <Compare first={picture} second={second} way={way} zoom={zoom} />
        </div>
        {hasInfo && <PictureInfo picture={picture} />}
      </div>
      {pictures.length > 1 && (
        <div className="viewer-strip" role="listbox" aria-label={second ? "Compare with" : "Pictures"}>
          {pictures.map((each, index) => (
            <button
              key={each.key}
              type="button"
              role="option"
              aria-selected={index === (second ? other : at)}
              aria-label={each.name}
              onClick={() => (second ? setOther(index) : setAt(index))}
            >
              <img src={each.small} alt="" loading="lazy" />
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function download({ job, number, url }: Picture): string {
  return job && number !== undefined ? fileUrl(job.id, number, true) : url;
}

function openIts({ job }: Picture): void {
  closeDialog();
  if (job) void openJob(job.id);
}

/** Put a picture on the clipboard, where only PNG is allowed. */
async function copyPicture(url: string): Promise<void> {
  try {
    const bitmap = await createImageBitmap(await (await fetch(url)).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    const png = await canvas.convertToBlob({ type: "image/png" });
    await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
    notify("The picture is on the clipboard");
  } catch (error) {
    notifyError("the picture was not copied", error);
  }
}
