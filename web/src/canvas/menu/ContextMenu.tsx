import { type KeyboardEvent, useEffect, useLayoutEffect, useRef } from "react";
import { type Command, shownKeys } from "../../shell/commands";
import { useCanvas } from "../state";
import { ColourRow } from "./ColourRow";
import "./menu.css";

interface Props {
  readonly commands: readonly Command[];
}

const WIDTH = 330;

/** The menu of what was clicked, made of the commands that are for it. */
export function ContextMenu({ commands }: Props) {
  const menu = useCanvas((state) => state.menu);
  const root = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const element = root.current;
    if (!menu || !element) return;
    const lowest = window.innerHeight - element.offsetHeight - 6;
    element.style.top = `${Math.max(4, Math.min(menu.screen.y, lowest))}px`;
  }, [menu]);

  useEffect(() => {
    if (!menu) return;
    root.current?.querySelector<HTMLElement>("button:not(:disabled)")?.focus();
    const onPointer = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) close(false);
    };
    document.addEventListener("pointerdown", onPointer, true);
    return () => document.removeEventListener("pointerdown", onPointer, true);
  }, [menu]);

  if (!menu) return null;
  const offered = commands.filter((each) => each.menu?.includes(menu.place));
  const hasColours = menu.place !== "canvas" && menu.place !== "wire";
  const left = Math.max(4, Math.min(menu.screen.x, window.innerWidth - WIDTH - 8));
  return (
    <div
      ref={root}
      className="context-menu"
      role="menu"
      tabIndex={-1}
      aria-label={`What can be done with the ${menu.place}`}
      style={{ left, top: menu.screen.y, width: WIDTH }}
      onKeyDown={onMenuKey}
      onContextMenu={(event) => event.preventDefault()}
    >
      {offered.map((command, index) => (
        <Item key={command.id} command={command} hasLine={index > 0 && command.group !== offered[index - 1]?.group} />
      ))}
      {hasColours && <ColourRow onDone={() => close(true)} />}
    </div>
  );
}

function close(returnsFocus: boolean): void {
  useCanvas.setState({ menu: null });
  if (returnsFocus) document.querySelector<HTMLElement>(".canvas")?.focus({ preventScroll: true });
}

function Item({ command, hasLine }: { readonly command: Command; readonly hasLine: boolean }) {
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      className={hasLine ? "context-item context-line" : "context-item"}
      disabled={command.isEnabled?.() === false}
      onClick={() => {
        close(true);
        command.run();
      }}
    >
      <span>{command.title}</span>
      {command.keys?.[0] && <kbd>{shownKeys(command.keys[0])}</kbd>}
    </button>
  );
}

function onMenuKey(event: KeyboardEvent<HTMLElement>): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("button:not(:disabled)")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const next: Record<string, number> = {
    ArrowDown: at + 1,
    ArrowRight: at + 1,
    ArrowUp: at - 1,
    ArrowLeft: at - 1,
    Home: 0,
    End: -1,
  };
  event.stopPropagation();
  if (event.key === "Escape" || event.key === "Tab") close(true);
  else if (event.key in next) items.at((next[event.key] ?? 0) % items.length)?.focus();
  else return;
  event.preventDefault();
}
