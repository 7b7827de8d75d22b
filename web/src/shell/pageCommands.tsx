import { activeTab, redo, undo } from "../store/editor";
import { type Theme, usePage } from "../store/layout";
import { About } from "./About";
import { CommandSearch } from "./CommandSearch";
import { KeyMap } from "./KeyMap";
import type { Command } from "./commands";
import { openDialog } from "./dialogs";

export const EDIT_COMMANDS: readonly Command[] = [
  {
    id: "undo",
    title: "Undo",
    group: "Edit",
    keys: ["Mod+Z"],
    run: undo,
    isEnabled: () => activeTab().past.length > 0,
  },
  {
    id: "redo",
    title: "Redo",
    group: "Edit",
    keys: ["Mod+Shift+Z", "Mod+Y"],
    run: redo,
    isEnabled: () => activeTab().future.length > 0,
  },
];

/** all: every command of the editor, for the help and the search. */
export function pageCommands(all: () => readonly Command[]): readonly Command[] {
  return [
    {
      id: "search-commands",
      title: "Find a command",
      group: "View",
      keys: ["Mod+K"],
      inTexts: true,
      run: () => openDialog({ title: "Commands", content: <CommandSearch commands={all()} /> }),
    },
    {
      id: "keys",
      title: "Keys and gestures",
      group: "View",
      keys: ["?"],
      run: () => openDialog({ title: "Keys and gestures", wide: true, content: <KeyMap commands={all()} /> }),
    },
    {
      id: "about",
      title: "About this server",
      group: "View",
      run: () => openDialog({ title: "About this server", content: <About /> }),
    },
    themed("light", "Light colours"),
    themed("dark", "Dark colours"),
    themed("system", "Colours of the system"),
    { id: "minimap", title: "Show or hide the minimap", group: "View", run: () => toggle("minimap") },
    { id: "snap", title: "Snap to the grid, or not", group: "View", run: () => toggle("snap") },
  ];
}

function themed(theme: Theme, title: string): Command {
  return { id: `theme-${theme}`, title, group: "View", run: () => usePage.setState({ theme }) };
}

function toggle(name: "minimap" | "snap"): void {
  usePage.setState((state) => ({ [name]: !state[name] }));
}
