// What was added last, kept in the browser.
import { create } from "zustand";
import { persist } from "zustand/middleware";

const KEPT = 8;

export const useRecent = create<{ readonly ids: readonly string[] }>()(
  persist((): { readonly ids: readonly string[] } => ({ ids: [] }), { name: "nodegraph.recent", version: 1 }),
);

export function rememberUse(id: string): void {
  useRecent.setState(({ ids }) => ({ ids: [id, ...ids.filter((each) => each !== id)].slice(0, KEPT) }));
}
