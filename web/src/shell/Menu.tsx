import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { type Command, shownKeys } from "./commands";

interface Props {
  readonly label: ReactNode;
  readonly title?: string;
  /** Groups of commands, with a line between two groups. */
  readonly groups: readonly (readonly Command[])[];
}

/** A button that opens a list of commands; arrow keys, Home, End, Escape and letters work as in any menu. */
export function Menu({ label, title, groups }: Props) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  useEffect(() => {
    if (!isOpen) return;
    root.current?.querySelector<HTMLElement>("[role=menuitem]:not(:disabled)")?.focus();
    const onPointer = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", onPointer, true);
    return () => document.removeEventListener("pointerdown", onPointer, true);
  }, [isOpen]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };

  return (
    <div className="menu" ref={root}>
      <button
        ref={button}
        type="button"
        className="menu-button"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        title={title}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={(event) => event.key === "ArrowDown" && setOpen(true)}
      >
        {label}
      </button>
      {isOpen && (
        <div id={id} className="menu-list" role="menu" tabIndex={-1} onKeyDown={(event) => onMenuKey(event, close)}>
          {groups.map((commands, index) => (
            <MenuGroup key={index} commands={commands} isFirst={index === 0} onDone={close} />
          ))}
        </div>
      )}
    </div>
  );
}

interface GroupProps {
  readonly commands: readonly Command[];
  readonly isFirst: boolean;
  readonly onDone: () => void;
}

function MenuGroup({ commands, isFirst, onDone }: GroupProps) {
  return (
    <>
      {!isFirst && <hr />}
      {commands.map((each) => (
        <button
          key={each.id}
          type="button"
          role="menuitem"
          tabIndex={-1}
          disabled={each.isEnabled?.() === false}
          onClick={() => {
            onDone();
            each.run();
          }}
        >
          <span>{each.title}</span>
          {each.keys?.[0] && <kbd>{shownKeys(each.keys[0])}</kbd>}
        </button>
      ))}
    </>
  );
}

/** Move the focus among the items of a menu. */
function onMenuKey(event: KeyboardEvent<HTMLElement>, close: () => void): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("[role=menuitem]:not(:disabled)")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const next: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
  if (event.key === "Escape" || event.key === "Tab") close();
  else if (event.key in next) items.at((next[event.key] ?? 0) % items.length)?.focus();
  else if (event.key.length === 1) {
    const letter = event.key.toLowerCase();
    const order = [...items.slice(at + 1), ...items.slice(0, at + 1)];
    order.find((each) => each.textContent.toLowerCase().startsWith(letter))?.focus();
  } else return;
  event.stopPropagation();
  if (event.key !== "Tab") event.preventDefault();
}
