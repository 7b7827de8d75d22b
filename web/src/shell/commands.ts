// What can be done, with its keys. Each feature lists its own; the key map, the menus and the help are made from them.

/** What a context menu was opened on. */
export type MenuPlace = "canvas" | "node" | "wire" | "group" | "note";

export type CommandGroup = "File" | "Edit" | "View" | "Graph" | "Run";

export interface Command {
  readonly id: string;
  readonly title: string;
  readonly group: CommandGroup;
  /** Such as "Mod+Shift+Z", "Delete" or "?"; Mod is Ctrl, on a Mac the command key. */
  readonly keys?: readonly string[];
  readonly run: () => void;
  readonly isEnabled?: () => boolean;
  /** Also while a text is being written. */
  readonly inTexts?: boolean;
  /** The browser tells by an event of its own that the keys were pressed; they are only shown. */
  readonly isNative?: boolean;
  /** The context menus that offer it. */
  readonly menu?: readonly MenuPlace[];
}

const IS_MAC = typeof navigator !== "undefined" && /Mac|iP(hone|ad)/.test(navigator.userAgent);

/** A key press as commands write it. */
export function pressed(event: KeyboardEvent): string {
  const parts: string[] = [];
  if (IS_MAC ? event.metaKey : event.ctrlKey) parts.push("Mod");
  if (event.altKey) parts.push("Alt");
  const isLetter = event.key.length === 1;
  const key = event.key === " " ? "Space" : isLetter ? event.key.toUpperCase() : event.key;
  if (event.shiftKey && (!isLetter || /[A-Z]/.test(key))) parts.push("Shift");
  return [...parts, key].join("+");
}

/** Keys as people read them. */
export function shownKeys(keys: string): string {
  return IS_MAC ? keys.replace("Mod+", "⌘").replace("Shift+", "⇧").replace("Alt+", "⌥") : keys.replace("Mod+", "Ctrl+");
}

export function isText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=range])");
}

/** Run the command that a key press stands for; whether there was one. */
export function dispatchKey(event: KeyboardEvent, commands: readonly Command[]): boolean {
  const keys = pressed(event);
  const writing = isText(event.target);
  const found = commands.find(
    (each) => each.keys?.includes(keys) && !each.isNative && (!writing || each.inTexts) && (each.isEnabled?.() ?? true),
  );
  if (!found) return false;
  event.preventDefault();
  found.run();
  return true;
}
