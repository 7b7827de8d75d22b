import { ReactFlowProvider } from "@xyflow/react";
import { useEffect, useLayoutEffect } from "react";
import { Canvas } from "../canvas/Canvas";
import { ContextMenu } from "../canvas/menu/ContextMenu";
import { Welcome } from "../files/Welcome";
import { useServer } from "../running/useServer";
import { loadDefinitions } from "../store/definitions";
import { usePage } from "../store/layout";
import { notifyError } from "../store/notices";
import { DialogHost } from "./DialogHost";
import { Notices } from "./Notices";
import { OpenPanel, PanelBar } from "./Panels";
import { TopBar } from "./TopBar";
import { COMMANDS } from "./commandList";
import { dispatchKey } from "./commands";
import { useDialog } from "./dialogs";

export function App() {
  const theme = usePage((state) => state.theme);

  useServer();

  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);

  useEffect(() => {
    loadDefinitions().catch((error: unknown) => notifyError("the nodes could not be loaded", error));
  }, []);

  // before the page is painted, so that no key is lost that somebody presses who sees it
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!event.defaultPrevented && !useDialog.getState().dialog) dispatchKey(event, COMMANDS);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  return (
    <ReactFlowProvider>
      <div className="page">
        <TopBar commands={COMMANDS} />
        <PanelBar side="left" />
        <OpenPanel side="left" />
        <main className="page-main" aria-label="Graph">
          <Canvas />
          <Welcome />
          <ContextMenu commands={COMMANDS} />
        </main>
        <OpenPanel side="right" />
        <PanelBar side="right" />
      </div>
      <Notices />
      <DialogHost />
    </ReactFlowProvider>
  );
}
