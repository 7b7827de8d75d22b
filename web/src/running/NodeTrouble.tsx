import { notify } from "../store/notices";
import { IconButton } from "../theme/IconButton";

interface Props {
  readonly text: string;
  /** All of it; else its beginning. */
  readonly isOpen: boolean;
}

/** Why a node failed or cannot run, on the node. */
export function NodeTrouble({ text, isOpen }: Props) {
  return (
    <div className={`trouble nodrag nowheel${isOpen ? " trouble-open" : ""}`} role="note">
      <p>{text}</p>
      {isOpen && <IconButton icon="copy" label="Copy this text" onClick={() => void copy(text)} />}
    </div>
  );
}

async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  notify("copied");
}
