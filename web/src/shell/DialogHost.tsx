import { useEffect, useRef } from "react";
import { closeDialog, useDialog } from "./dialogs";

/** Shows the open dialog; Escape and a click beside it close it, and the focus returns to where it was. */
export function DialogHost() {
  const dialog = useDialog((state) => state.dialog);
  const element = useRef<HTMLDialogElement>(null);

  useEffect(() => {
    if (dialog) element.current?.showModal();
    else element.current?.close();
  }, [dialog]);

  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events -- Escape does the same
    <dialog
      ref={element}
      className={dialog?.wide ? "dialog dialog-wide" : "dialog"}
      aria-label={dialog?.title}
      onClose={closeDialog}
      onClick={(event) => event.target === element.current && closeDialog()}
    >
      {dialog && (
        <div className="dialog-body">
          <header>
            <h2>{dialog.title}</h2>
            <button type="button" className="icon-button" aria-label="Close" onClick={closeDialog}>
              ✕
            </button>
          </header>
          {dialog.content}
        </div>
      )}
    </dialog>
  );
}
