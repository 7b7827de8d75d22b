// The server's stream of events: one WebSocket for the page that comes back by itself and misses nothing.
import { API } from "./http";
import type { JobEvent } from "./jobs";

export type Link = "connecting" | "open" | "lost";

/** An intermediate picture of a node at work. */
export interface Preview {
  readonly job: string;
  readonly node: string;
  readonly picture: Blob;
}

interface Listener {
  onEvents: (events: readonly JobEvent[]) => void;
  onPreview: (preview: Preview) => void;
  onLink: (link: Link) => void;
}

const GATHER_MS = 50;
const LONGEST_WAIT_MS = 5000;

/** How long to wait before the next try to connect; not all pages at once. */
export function waitMs(tries: number, random = Math.random()): number {
  return Math.min(LONGEST_WAIT_MS, 250 * 2 ** tries) * (0.75 + random / 2);
}

/** A binary message in its parts: the length of its head, the head as JSON, the picture. */
export function parsePreview(message: ArrayBuffer): Preview | null {
  if (message.byteLength < 4) return null;
  const length = new DataView(message).getUint32(0);
  if (4 + length > message.byteLength) return null;
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, length))) as Record<string, unknown>;
  if (head["kind"] !== "preview") return null;
  const picture = new Blob([message.slice(4 + length)], { type: String(head["type"]) });
  return { job: String(head["job"]), node: String(head["node"]), picture };
}

/** Listen to everything after a sequence number. Returns what ends it. */
export function listen(after: number, listener: Listener): () => void {
  let last = after;
  let tries = 0;
  let gathered: JobEvent[] = [];
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let gathering: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;

  const hand = () => {
    gathering = undefined;
    const events = gathered;
    gathered = [];
    listener.onEvents(events);
  };
  const hear = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data !== "string") {
      const preview = parsePreview(data);
      if (preview) listener.onPreview(preview);
      return;
    }
    const event = JSON.parse(data) as JobEvent;
    if (event.sequence <= last) return;
    last = event.sequence;
    gathered.push(event);
    gathering ??= setTimeout(hand, GATHER_MS);
  };
  const connect = () => {
    clearTimeout(timer);
    const address = new URL(`${API}/events?after=${last}&previews=1`, location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      tries = 0;
      listener.onLink("open");
    };
    socket.onmessage = hear;
    socket.onclose = () => {
      if (isOver) return;
      listener.onLink("lost");
      timer = setTimeout(connect, waitMs(tries++));
    };
  };
  const hurry = () => {
    if (!isOver && socket?.readyState === WebSocket.CLOSED) connect();
  };

  listener.onLink("connecting");
  connect();
  window.addEventListener("online", hurry);
  return () => {
    isOver = true;
    clearTimeout(timer);
    clearTimeout(gathering);
    window.removeEventListener("online", hurry);
    socket?.close();
  };
}
