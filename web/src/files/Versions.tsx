import { useCallback } from "react";
import { listVersions } from "../api/workflows";
import { closeDialog } from "../shell/dialogs";
import { notifyError } from "../store/notices";
import { ago } from "./ago";
import { openVersion } from "./open";
import { useLoaded } from "./useLoaded";

/** What a workflow was each time it was saved. */
export function Versions({ name }: { readonly name: string }) {
  const { value: versions, problem } = useLoaded(useCallback(() => listVersions(name), [name]));
  return (
    <>
      {problem && <p role="alert">{problem}</p>}
      <ul className="files-list">
        {versions?.map(({ version, saved, bytes }) => (
          <li key={version}>
            <button
              type="button"
              className="files-entry"
              onClick={() =>
                openVersion(name, version).then(closeDialog, (error: unknown) => notifyError("Not opened", error))
              }
            >
              <strong>Version {version}</strong>
              <span className="hint">{(bytes / 1000).toFixed(1)} kB</span>
              <time className="hint" dateTime={saved}>
                {ago(new Date(saved))}
              </time>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
