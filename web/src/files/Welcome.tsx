import { openDialog } from "../shell/dialogs";
import { useState } from "react";
import { EMPTY } from "../graph/document";
import { useTab } from "../store/editor";
import { OpenDialog } from "./OpenDialog";
import { Templates } from "./Templates";

/** What an untouched workflow shows: where to begin. */
export function Welcome() {
  const isUntouched = useTab((tab) => tab.document === EMPTY && tab.file === null);
  const [isAway, setAway] = useState(false);
  if (!isUntouched || isAway) return null;
  return (
    <div className="welcome">
      <h2>What do you want to make?</h2>
      <p className="hint">Begin with one of these workflows, or with nothing.</p>
      <div className="welcome-actions">
        <button type="button" className="primary" onClick={() => setAway(true)}>
          Empty canvas
        </button>
        <button
          type="button"
          onClick={() => openDialog({ title: "Open workflow", wide: true, content: <OpenDialog /> })}
        >
          Open a saved workflow…
        </button>
      </div>
      <Templates />
    </div>
  );
}
