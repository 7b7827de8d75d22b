import { openDialog } from "../shell/dialogs";
import type { Command } from "../shell/commands";
import { activeTab } from "../store/editor";
import { OpenDialog } from "./OpenDialog";
import { Templates } from "./Templates";
import { Versions } from "./Versions";
import { closeWithCare } from "./closing";
import { openEmpty } from "./open";
import { exportFile } from "./save";
import { saveActive, saveActiveAs } from "./saving";

const wide = true;

export const FILE_COMMANDS: readonly Command[] = [
  { id: "new", title: "New workflow", group: "File", keys: ["Alt+N"], run: openEmpty },
  {
    id: "open",
    title: "Open…",
    group: "File",
    keys: ["Mod+O"],
    run: () => openDialog({ title: "Open workflow", wide, content: <OpenDialog /> }),
    inTexts: true,
  },
  {
    id: "templates",
    title: "Templates…",
    group: "File",
    run: () => openDialog({ title: "Templates", wide, content: <Templates /> }),
  },
  { id: "save", title: "Save", group: "File", keys: ["Mod+S"], run: () => saveActive(), inTexts: true },
  { id: "save-as", title: "Save as…", group: "File", keys: ["Mod+Shift+S"], run: () => saveActiveAs(), inTexts: true },
  {
    id: "versions",
    title: "Versions…",
    group: "File",
    isEnabled: () => activeTab().file !== null,
    run: () => {
      const name = activeTab().file?.name ?? "";
      openDialog({ title: `Versions of ${name}`, content: <Versions name={name} /> });
    },
  },
  { id: "export", title: "Export as a file", group: "File", keys: ["Mod+E"], run: exportFile, inTexts: true },
  { id: "close", title: "Close workflow", group: "File", keys: ["Alt+W"], run: () => closeWithCare(activeTab()) },
];
