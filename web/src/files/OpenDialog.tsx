import { useRef, useState } from "react";
import { type WorkflowEntry, deleteWorkflow, listWorkflows, renameWorkflow } from "../api/workflows";
import { closeDialog, openDialog } from "../shell/dialogs";
import { changeTab, useEditor } from "../store/editor";
import { notify, notifyError } from "../store/notices";
import { Versions } from "./Versions";
import { ago } from "./ago";
import { openFile, openSaved } from "./open";
import { useLoaded } from "./useLoaded";
import "./files.css";

/** The workflows that are saved on the server, and a way to a file of this computer. */
export function OpenDialog() {
  const { value: entries, problem, reload } = useLoaded(listWorkflows);
  const [search, setSearch] = useState("");
  const chooser = useRef<HTMLInputElement>(null);
  const words = search.toLowerCase().split(/\s+/);
  const found = entries?.filter((each) =>
    words.every((word) => `${each.name} ${each.title}`.toLowerCase().includes(word)),
  );

  const attempt = (what: string, doing: Promise<unknown>) =>
    doing.then(closeDialog, (error: unknown) => notifyError(what, error));

  return (
    <div className="files">
      <div className="files-bar">
        <input
          type="search"
          aria-label="Search workflows"
          placeholder="Search"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <button type="button" onClick={() => chooser.current?.click()}>
          From this computer…
        </button>
        <input
          ref={chooser}
          type="file"
          hidden
          accept=".json,application/json"
          onChange={(event) => {
            const file = event.target.files?.[0];
            if (file) void attempt(`${file.name} is not opened`, openFile(file));
          }}
        />
      </div>
      {problem && <p role="alert">{problem}</p>}
      {found?.length === 0 && (
        <p className="hint">{entries?.length ? "None is called so." : "Nothing is saved yet."}</p>
      )}
      <ul className="files-list">
        {found?.map((entry) => (
          <Entry
            key={entry.name}
            entry={entry}
            onOpen={() => void attempt("Not opened", openSaved(entry.name))}
            onChange={reload}
          />
        ))}
      </ul>
    </div>
  );
}

interface EntryProps {
  readonly entry: WorkflowEntry;
  readonly onOpen: () => void;
  readonly onChange: () => void;
}

function Entry({ entry, onOpen, onChange }: EntryProps) {
  const [newName, setNewName] = useState<string | null>(null);

  const rename = () => {
    setNewName(null);
    if (!newName || newName === entry.name) return;
    renameWorkflow(entry.name, newName).then(
      ({ name, version }) => {
        followRename(entry.name, name, version);
        onChange();
      },
      (error: unknown) => notifyError("Not renamed", error),
    );
  };
  const remove = () => {
    deleteWorkflow(entry.name).then(
      () => {
        notify(`“${entry.name}” is deleted; its versions are kept`);
        onChange();
      },
      (error: unknown) => notifyError("Not deleted", error),
    );
  };

  if (newName !== null) {
    return (
      <li>
        <form
          className="files-rename"
          onSubmit={(event) => {
            event.preventDefault();
            rename();
          }}
        >
          {/* eslint-disable-next-line jsx-a11y/no-autofocus -- it was opened to write here */}
          <input autoFocus aria-label="New name" value={newName} onChange={(event) => setNewName(event.target.value)} />
          <button type="submit">Rename</button>
          <button type="button" onClick={() => setNewName(null)}>
            Cancel
          </button>
        </form>
      </li>
    );
  }
  return (
    <li>
      <button type="button" className="files-entry" onClick={onOpen} disabled={Boolean(entry.error)}>
        <strong>{entry.name}</strong>
        <span className="hint">{entry.error || entry.title || entry.description}</span>
        <time className="hint" dateTime={entry.saved}>
          {ago(new Date(entry.saved))}
        </time>
      </button>
      <a href={`/run/${entry.name.split("/").map(encodeURIComponent).join("/")}`} target="_blank" rel="noreferrer">
        Form
      </a>
      <button
        type="button"
        onClick={() => openDialog({ title: `Versions of ${entry.name}`, content: <Versions name={entry.name} /> })}
      >
        Versions
      </button>
      <button type="button" onClick={() => setNewName(entry.name)}>
        Rename
      </button>
      <button type="button" onClick={remove}>
        Delete
      </button>
    </li>
  );
}

/** Tabs that show the workflow go with it. */
function followRename(old: string, name: string, version: number): void {
  for (const tab of useEditor.getState().tabs) {
    if (tab.file?.name === old) changeTab(tab.id, (each) => ({ ...each, file: { name, version } }));
  }
}
