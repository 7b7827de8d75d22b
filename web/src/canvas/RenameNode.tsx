import { useState } from "react";
import { graphOf } from "../graph/document";
import { renameNode } from "../graph/edits";
import { activeTab, edit, select } from "../store/editor";
import { regionOf, within } from "../subgraphs/paths";
import { closeDialog } from "../shell/dialogs";
import { ownerOf } from "./connecting";

/** Gives a node another name in the file. */
export function RenameNode({ id }: { readonly id: string }) {
  const { graph: own, name } = ownerOf(id);
  const [text, setText] = useState(name);
  const tab = activeTab();
  const taken = graphOf(tab.document, own).nodes ?? {};
  const reason =
    text !== name && text in taken
      ? "Another node is called that."
      : /^[A-Za-z_][A-Za-z0-9_-]*$/.test(text)
        ? ""
        : "A name begins with a letter and has letters, digits, _ and - only.";
  const submit = () => {
    if (reason) return;
    if (text !== name) edit("rename", (graph) => renameNode(graph, name, text), { graph: own });
    select([within(regionOf(id), text)]);
    closeDialog();
  };
  return (
    <form
      className="rename"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <label>
        Name
        <input
          value={text}
          onChange={(event) => setText(event.target.value)}
          aria-invalid={reason !== ""}
          aria-describedby="rename-reason"
        />
      </label>
      <p id="rename-reason" role="status">
        {reason || "Wires and results are told by this name."}
      </p>
      <button className="primary" disabled={reason !== ""}>
        Rename
      </button>
    </form>
  );
}
