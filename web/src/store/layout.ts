// How the page is set up: theme and panels; kept in the browser.
import { create } from "zustand";
import { persist } from "zustand/middleware";

export type Theme = "system" | "light" | "dark";
export type Side = "left" | "right";

interface PageState {
  readonly theme: Theme;
  /** The open panel of each side. */
  readonly panels: Readonly<Record<Side, string | null>>;
  readonly minimap: boolean;
  readonly snap: boolean;
}

export const usePage = create<PageState>()(
  persist((): PageState => ({ theme: "system", panels: { left: null, right: "queue" }, minimap: true, snap: true }), {
    name: "nodegraph.page",
    version: 1,
  }),
);

/** Open a panel, or close it when it is open. */
export function togglePanel(side: Side, id: string): void {
  usePage.setState(({ panels }) => ({ panels: { ...panels, [side]: panels[side] === id ? null : id } }));
}

export function showPanel(side: Side, id: string): void {
  usePage.setState(({ panels }) => ({ panels: { ...panels, [side]: id } }));
}
