import { useState } from "react";
import { notify } from "../store/notices";
import { IconButton } from "../theme/IconButton";

/** Why a node failed or cannot run, on the node: its beginning, and on a click all of it. */
export function NodeTrouble({ text }: { readonly text: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <div className={`trouble nodrag nowheel${isOpen ? " trouble-open" : ""}`} role="note">
      <button type="button" className="trouble-text" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {text}
      </button>
      {isOpen && <IconButton icon="copy" label="Copy this text" onClick={() => void copy(text)} />}
    </div>
  );
}

async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  notify("copied");
}
