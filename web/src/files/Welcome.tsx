import { openDialog } from "../shell/dialogs";
import { useState } from "react";
import { isUntouched, useTab } from "../store/editor";
import { OpenDialog } from "./OpenDialog";
import { Templates } from "./Templates";

/** What an untouched workflow shows: where to begin. */
export function Welcome() {
  const tab = useTab((each) => (isUntouched(each) ? each.id : ""));
  const [begun, setBegun] = useState("");
  if (!tab || tab === begun) return null;
  return (
    <div className="welcome">
      <h2>What do you want to make?</h2>
      <p className="hint">Begin with one of these workflows, or with nothing.</p>
      <div className="welcome-actions">
        <button type="button" className="primary" onClick={() => setBegun(tab)}>
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
