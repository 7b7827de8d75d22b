import { type FormEvent, useState } from "react";
import { closeDialog, openDialog } from "../shell/dialogs";
import { activeTab } from "../store/editor";
import { notifyError } from "../store/notices";
import { autofocused } from "../widgets/autofocused";
import { Conflict, openTheirs, overwrite, save } from "./save";

/** Save the active tab where it came from, or ask for a name. */
export function saveActive(then?: () => void): void {
  const { file } = activeTab();
  if (file) store(file.name, file.version, then);
  else saveActiveAs(then);
}

export function saveActiveAs(then?: () => void): void {
  openDialog({ title: "Save workflow", content: <NameForm then={then} /> });
}

function store(name: string, base: number | null, then?: () => void): void {
  save(name, base).then(
    () => then?.(),
    (error: unknown) => {
      if (error instanceof Conflict) {
        openDialog({ title: "Saved by somebody else", content: <ConflictChoice name={name} then={then} /> });
      } else notifyError("Not saved", error);
    },
  );
}

function NameForm({ then }: { readonly then: (() => void) | undefined }) {
  const { file, document } = activeTab();
  const [name, setName] = useState(file?.name ?? document.title ?? "");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    closeDialog();
    store(name.trim(), null, then);
  };
  return (
    <form onSubmit={submit}>
      <label className="field">
        Name
        <input ref={autofocused} value={name} onChange={(event) => setName(event.target.value)} />
      </label>
      <p className="hint">A name may have folders, such as portraits/fox.</p>
      <div className="dialog-actions">
        <button type="button" onClick={closeDialog}>
          Cancel
        </button>
        <button type="submit" className="primary" disabled={!name.trim()}>
          Save
        </button>
      </div>
    </form>
  );
}

interface ConflictProps {
  readonly name: string;
  readonly then: (() => void) | undefined;
}

function ConflictChoice({ name, then }: ConflictProps) {
  const after = (doing: Promise<unknown>) => {
    closeDialog();
    doing.then(
      () => then?.(),
      (error: unknown) => notifyError("Not saved", error),
    );
  };
  return (
    <>
      <p>“{name}” holds something that was not opened here. Nothing is lost: old versions are kept.</p>
      <div className="dialog-actions">
        <button type="button" onClick={() => saveActiveAs(then)}>
          Save under another name
        </button>
        <button type="button" onClick={() => after(openTheirs(name))}>
          Open theirs beside mine
        </button>
        <button type="button" className="primary" onClick={() => after(overwrite(name))}>
          Save mine as the newest version
        </button>
      </div>
    </>
  );
}
