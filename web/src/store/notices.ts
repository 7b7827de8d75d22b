// Short messages to the user that go away by themselves.
import { create } from "zustand";

export interface Notice {
  readonly id: number;
  readonly kind: "info" | "error";
  readonly text: string;
}

export const useNotices = create<{ readonly notices: readonly Notice[] }>(() => ({ notices: [] }));

let last = 0;

export function notify(text: string, kind: Notice["kind"] = "info"): void {
  const id = ++last;
  useNotices.setState(({ notices }) => ({ notices: [...notices.slice(-4), { id, kind, text }] }));
  setTimeout(() => dismiss(id), kind === "error" ? 12_000 : 4_000);
}

export function dismiss(id: number): void {
  useNotices.setState(({ notices }) => ({ notices: notices.filter((each) => each.id !== id) }));
}

/** Tell what went wrong with something that was begun by the user. */
export function notifyError(what: string, error: unknown): void {
  notify(`${what}: ${error instanceof Error ? error.message : String(error)}`, "error");
}
