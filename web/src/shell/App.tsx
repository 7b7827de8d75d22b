import { ReactFlowProvider } from "@xyflow/react";
import { useEffect } from "react";
import { Canvas } from "../canvas/Canvas";
import { loadDefinitions } from "../store/definitions";
import { redo, undo } from "../store/editor";
import { usePage } from "../store/layout";
import { notifyError } from "../store/notices";
import { DialogHost } from "./DialogHost";
import { Notices } from "./Notices";
import { PanelBar, OpenPanel } from "./Panels";
import { TopBar } from "./TopBar";
import { type Command, dispatchKey } from "./commands";

const EDIT: readonly Command[] = [
  { id: "undo", title: "Undo", group: "Edit", keys: ["Mod+Z"], run: undo },
  { id: "redo", title: "Redo", group: "Edit", keys: ["Mod+Shift+Z", "Mod+Y"], run: redo },
];

/** Every command of the editor; each feature adds its own. */
const COMMANDS: readonly Command[] = [...EDIT];

export function App() {
  const theme = usePage((state) => state.theme);

  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);

  useEffect(() => {
    loadDefinitions().catch((error: unknown) => notifyError("the nodes could not be loaded", error));
    const onKey = (event: KeyboardEvent) => void dispatchKey(event, COMMANDS);
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  return (
    <ReactFlowProvider>
      <div className="page">
        <TopBar />
        <PanelBar side="left" />
        <OpenPanel side="left" />
        <main className="page-main" aria-label="Graph">
          <Canvas />
        </main>
        <OpenPanel side="right" />
        <PanelBar side="right" />
      </div>
      <Notices />
      <DialogHost />
    </ReactFlowProvider>
  );
}
