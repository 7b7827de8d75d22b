// Pressing on an input that one wire ends at takes that end up.
import type { MouseEvent } from "react";
import { graphOf, isWire } from "../graph/document";
import { activeTab } from "../store/editor";
import { ownerOf } from "./connecting";

export function pickUp(event: MouseEvent<HTMLElement>): void {
  const socket = (event.target as HTMLElement).closest<HTMLElement>(".socket.target");
  if (!socket || event.button !== 0 || event.ctrlKey || event.metaKey) return;
  const { nodeid = "", handleid = "" } = socket.dataset;
  const { graph, name } = ownerOf(nodeid);
  if (!isWire(graphOf(activeTab().document, graph).nodes?.[name]?.inputs?.[handleid])) return;
  const wire = document.querySelector(`.react-flow__edge[data-id="${CSS.escape(`${nodeid}.${handleid}#0`)}"]`);
  const anchor = wire?.querySelector(".react-flow__edgeupdater-target");
  if (!anchor) return;
  event.preventDefault();
  event.stopPropagation();
  const { clientX, clientY } = event;
  anchor.dispatchEvent(new window.MouseEvent("mousedown", { bubbles: true, clientX, clientY, button: 0 }));
}
