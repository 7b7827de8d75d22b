import { closeDialog, openDialog } from "../shell/dialogs";
import { type Tab, closeTab, showTab } from "../store/editor";
import { isDirty } from "./dirty";
import { saveActive } from "./saving";

/** Close a tab; one with changes that are saved nowhere asks first. */
export function closeWithCare(tab: Tab): void {
  if (!isDirty(tab)) {
    closeTab(tab.id);
    return;
  }
  showTab(tab.id);
  openDialog({ title: "Close without saving?", content: <Question tab={tab} /> });
}

function Question({ tab }: { readonly tab: Tab }) {
  const close = () => {
    closeDialog();
    closeTab(tab.id);
  };
  return (
    <>
      <p>“{tab.file?.name ?? tab.document.title ?? "Untitled"}” has changes that are not saved.</p>
      <div className="dialog-actions">
        <button type="button" onClick={close}>
          Close without saving
        </button>
        <button
          type="button"
          className="primary"
          onClick={() => {
            closeDialog();
            saveActive(() => closeTab(tab.id));
          }}
        >
          Save and close
        </button>
      </div>
    </>
  );
}
