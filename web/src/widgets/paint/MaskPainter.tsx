import { type RefObject, useEffect, useRef, useState } from "react";
import { closeDialog } from "../../shell/dialogs";
import { notifyError } from "../../store/notices";
import { MaskCanvas } from "./MaskCanvas";
import { Stage } from "./Stage";
import { type Settings, Tools } from "./Tools";
import "./paint.css";

interface Props {
  readonly picture: string | null;
  /** The mask to begin from. */
  readonly mask: string | null;
  readonly onSave: (mask: Blob) => Promise<void>;
}

interface Loaded {
  readonly canvas: MaskCanvas;
  readonly picture: HTMLImageElement | null;
}

const FIRST: Settings = { tool: "brush", isErasing: false, size: 40, hardness: 0.7, opacity: 1, tint: "#ff3b5c" };

/** Paint a mask over a picture: white, shown as a tint, is what will be made anew. */
export function MaskPainter({ picture, mask, onSave }: Props) {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [settings, setSettings] = useState(FIRST);
  const [changes, setChanges] = useState(0);
  const [isSaving, setSaving] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const isAsking = useCare(box, loaded?.canvas);

  useEffect(() => {
    prepare(picture, mask).then(
      (found) => {
        setLoaded(found);
        const side = Math.min(found.canvas.width, found.canvas.height);
        setSettings((old) => ({ ...old, size: Math.max(2, Math.round(side / 10)) }));
      },
      (reason: unknown) => setError(reason instanceof Error ? reason.message : String(reason)),
    );
  }, [picture, mask]);

  if (error) return <p className="field-problem">{error}</p>;
  if (!loaded) return <p aria-busy="true">Loading the picture…</p>;
  const { canvas } = loaded;
  const act = (change: (canvas: MaskCanvas) => void) => {
    change(canvas);
    setChanges((count) => count + 1);
  };
  const save = async () => {
    setSaving(true);
    try {
      await onSave(await canvas.toPng());
      closeDialog();
    } catch (reason) {
      notifyError("the mask could not be saved", reason);
    } finally {
      setSaving(false);
    }
  };
  return (
    <div className="painter" ref={box}>
      <Tools
        settings={settings}
        canUndo={canvas.canUndo}
        canRedo={canvas.canRedo}
        onChange={(change) => setSettings((old) => ({ ...old, ...change }))}
        onAct={act}
      />
      <Stage
        canvas={canvas}
        picture={loaded.picture}
        settings={settings}
        changes={changes}
        onChange={(change) => setSettings((old) => ({ ...old, ...change }))}
        onAct={act}
      />
      <footer className="painter-footer">
        {isAsking ? (
          <p className="hint" role="alert">
            What you painted is not saved yet. Escape once more throws it away.
          </p>
        ) : (
          <p className="hint">
            {canvas.width} × {canvas.height}. B brush, E erase, R rectangle, L lasso, [ ] size, I invert, Ctrl+Z undo;
            wheel zooms, Space or the middle button pans.
          </p>
        )}
        <button type="button" onClick={closeDialog}>
          Cancel
        </button>
        <button type="button" className="primary" disabled={isSaving} onClick={() => void save()}>
          Save mask
        </button>
      </footer>
    </div>
  );
}

/** Escape closes a dialog; painted things ask first. Whether they do. */
function useCare(box: RefObject<HTMLElement | null>, canvas: MaskCanvas | undefined): boolean {
  const [isAsking, setAsking] = useState(false);
  useEffect(() => {
    const dialog = box.current?.closest("dialog");
    if (!dialog || !canvas || isAsking) return;
    const onCancel = (event: Event) => {
      if (!canvas.canUndo) return;
      event.preventDefault();
      setAsking(true);
    };
    dialog.addEventListener("cancel", onCancel);
    return () => dialog.removeEventListener("cancel", onCancel);
  }, [box, canvas, isAsking]);
  return isAsking;
}

async function prepare(pictureUrl: string | null, maskUrl: string | null): Promise<Loaded> {
  const picture = pictureUrl === null ? null : await loadPicture(pictureUrl);
  const mask = maskUrl === null ? null : await loadPicture(maskUrl);
  const size = picture ?? mask;
  if (!size) throw new Error("there is no picture to paint on; choose one first");
  const canvas = new MaskCanvas(size.naturalWidth, size.naturalHeight);
  if (mask) canvas.load(mask);
  return { canvas, picture };
}

async function loadPicture(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch (error) {
    throw new Error("the picture could not be loaded from the server", { cause: error });
  }
  return image;
}
