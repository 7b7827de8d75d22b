// What is open is kept in the browser as it changes, so that a reload or a crash loses nothing.
//
// Every window has a session of its own, which it holds a lock on while it lives. A window that opens takes a session
// over whose window is gone; a second window beside a living one begins with its own.
import { createStore, del, get, keys, set } from "idb-keyval";
import type { Document } from "../graph/document";
import { type Crumb, type Tab, useEditor } from "../store/editor";

interface Draft {
  readonly id: string;
  readonly file: Tab["file"];
  readonly document: Document;
  readonly saved: Document;
  readonly trail: readonly Crumb[];
}

interface Session {
  readonly tabs: readonly Draft[];
  readonly active: string;
  readonly time: number;
}

const DELAY_MS = 400;
const UNWRITTEN = "nodegraph.unwritten";
const DAYS_KEPT = 30;
/** Not over plain HTTP from another machine; a window then knows its own session only. */
const CAN_LOCK = typeof navigator !== "undefined" && "locks" in navigator;

const store = () => createStore("nodegraph", "sessions");

export async function restoreSession(): Promise<void> {
  const database = store();
  const session = await takeSession((await keys<string>(database)).filter((each) => typeof each === "string"));
  const found = newest(takeUnwritten(session), await get<Session>(session, database));
  if (found && found.tabs.length > 0) {
    const fresh = { past: [], future: [], selected: new Set<string>(), revision: 0 };
    useEditor.setState({ tabs: found.tabs.map((each) => ({ ...each, ...fresh })), active: found.active });
  }
  keep(session);
}

function newest(...sessions: readonly (Session | undefined)[]): Session | undefined {
  return sessions.filter((each) => each !== undefined).sort((a, b) => b.time - a.time)[0];
}

/** What a window that went away had no time to write into the database. */
function takeUnwritten(session: string): Session | undefined {
  const text = sessionStorage.getItem(UNWRITTEN);
  sessionStorage.removeItem(UNWRITTEN);
  const found = text === null ? undefined : (JSON.parse(text) as Session & { readonly session: string });
  return found?.session === session ? found : undefined;
}

/** The session of this window: the one it had before a reload, one whose window is gone, or a new one. */
async function takeSession(known: readonly string[]): Promise<string> {
  const mine = sessionStorage.getItem("nodegraph.session");
  const free = CAN_LOCK ? known : []; // else another window may have them
  for (const each of mine ? [mine, ...free] : free) {
    if (await lock(each)) return remember(each);
  }
  const made = crypto.randomUUID();
  await lock(made);
  return remember(made);
}

function remember(session: string): string {
  sessionStorage.setItem("nodegraph.session", session);
  return session;
}

/** Hold a session until the window is gone; false when another window holds it. */
function lock(session: string): Promise<boolean> {
  if (!CAN_LOCK) return Promise.resolve(true);
  return new Promise((resolve) => {
    void navigator.locks.request(`nodegraph ${session}`, { ifAvailable: true }, (held) => {
      resolve(held !== null);
      return held ? new Promise(() => undefined) : undefined;
    });
  });
}

function keep(session: string): void {
  const database = store();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = useEditor.getState();
  const now = (): Session => {
    const { tabs, active } = useEditor.getState();
    const drafts = tabs.map(({ id, file, document, saved, trail }): Draft => ({ id, file, document, saved, trail }));
    return { tabs: drafts, active, time: Date.now() };
  };
  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    void set(session, now(), database);
  };
  useEditor.subscribe((state) => {
    if (isSame(state, last)) return;
    last = state;
    timer ??= setTimeout(write, DELAY_MS);
  });
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && write());
  window.addEventListener("pagehide", () => keepUnwritten(session, now()));
  void forgetOld(session);
}

/** The database is written to later than a window lives that goes away; a few megabytes can be kept at once. */
function keepUnwritten(session: string, state: Session): void {
  try {
    sessionStorage.setItem(UNWRITTEN, JSON.stringify({ ...state, session }));
  } catch {
    sessionStorage.removeItem(UNWRITTEN); // too large; the database has all but the last moment
  }
}

function isSame(a: { tabs: readonly Tab[]; active: string }, b: typeof a): boolean {
  if (a.active !== b.active || a.tabs.length !== b.tabs.length) return false;
  return a.tabs.every((each, index) => {
    const other = b.tabs[index];
    return each.id === other?.id && each.document === other.document && each.file === other.file;
  });
}

async function forgetOld(mine: string): Promise<void> {
  const database = store();
  for (const each of await keys<string>(database)) {
    const found = each === mine ? undefined : await get<Session>(each, database);
    if (found && Date.now() - found.time > DAYS_KEPT * 86_400_000) await del(each, database);
  }
}
