import { useEffect, useState } from "react";
import type { InputDefinition, OutputDefinition } from "../api/types";
import { graphOf } from "../graph/document";
import { type Ports, portsOf } from "../graph/ports";
import { describe } from "../graph/portTypes";
import { useDefinitions } from "../store/definitions";
import { activeTab } from "../store/editor";
import { colourOf } from "./colours";
import { ownerOf } from "./connecting";
import { useDrag } from "./state";

interface Shown {
  readonly socket: HTMLElement;
  readonly port: InputDefinition | OutputDefinition;
  readonly side: "input" | "output";
}

const DELAY_MS = 350;

/** What flows at the socket under the pointer, or at the one with the focus. */
export function SocketTip() {
  const [shown, setShown] = useState<Shown | null>(null);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (event: Event) => {
      clearTimeout(timer);
      const socket = (event.target as Element).closest<HTMLElement>(".socket");
      if (!socket) setShown(null);
      else
        timer = setTimeout(
          () => setShown(useDrag.getState().start ? null : portAt(socket)),
          event.type === "focusin" ? 0 : DELAY_MS,
        );
    };
    const hide = () => {
      clearTimeout(timer);
      setShown(null);
    };
    const canvas = document.querySelector(".canvas");
    canvas?.addEventListener("pointerover", show);
    canvas?.addEventListener("focusin", show);
    canvas?.addEventListener("pointerdown", hide);
    canvas?.addEventListener("wheel", hide, { passive: true });
    return () => {
      clearTimeout(timer);
      canvas?.removeEventListener("pointerover", show);
      canvas?.removeEventListener("focusin", show);
      canvas?.removeEventListener("pointerdown", hide);
      canvas?.removeEventListener("wheel", hide);
    };
  }, []);

  if (!shown) return null;
  const { socket, port, side } = shown;
  const { left, right, top } = socket.getBoundingClientRect();
  const style = side === "input" ? { right: window.innerWidth - left + 10, top } : { left: right + 10, top };
  return (
    <div className="socket-tip" role="tooltip" style={style}>
      <strong>{port.name}</strong>
      <code style={{ color: colourOf(port.type) }}>{describe(port.type)}</code>
      {remarks(port).map((each) => (
        <small key={each}>{each}</small>
      ))}
      {port.doc && <p>{port.doc}</p>}
    </div>
  );
}

function remarks(port: InputDefinition | OutputDefinition): string[] {
  if (!("required" in port)) return port.may_block ? ["may be blocked, so that what needs it does not run"] : [];
  const found = port.required
    ? ["needed"]
    : [`optional${port.default === null ? "" : `, else ${JSON.stringify(port.default)}`}`];
  if (port.lazy)
    found.push(
      port.lazy === "items" ? "only the items that are asked for are computed" : "computed only where it is asked for",
    );
  if (port.type.kind === "list") found.push("takes several wires");
  return found;
}

function portAt(socket: HTMLElement): Shown | null {
  const { nodeid = "", handleid = "" } = socket.dataset;
  const side = socket.classList.contains("target") ? "input" : "output";
  const { graph, name } = ownerOf(nodeid);
  const { document } = activeTab();
  const entry = graphOf(document, graph).nodes?.[name];
  const ports: Ports | undefined = entry && portsOf(document, entry, useDefinitions.getState().byId);
  const port = (side === "input" ? ports?.inputs : ports?.outputs)?.find((each) => each.name === handleid);
  return port && socket.isConnected ? { socket, port, side } : null;
}
