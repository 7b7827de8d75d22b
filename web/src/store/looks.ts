// What the look panel shows: the selected node's results, and those that are pinned.
import { create } from "zustand";
import { showPanel } from "./layout";

/** An output of a node; `id` as on the canvas. "" as output stands for all of them. */
export interface Look {
  readonly id: string;
  readonly output: string;
}

export const useLooks = create<{ readonly now: Look | null; readonly pinned: readonly Look[] }>(() => ({
  now: null,
  pinned: [],
}));

/** Show what a node gave. */
export function lookInto(id: string, output = ""): void {
  useLooks.setState({ now: { id, output } });
  showPanel("right", "look");
}

export function isSame(a: Look, b: Look): boolean {
  return a.id === b.id && a.output === b.output;
}

export function togglePin(look: Look): void {
  useLooks.setState(({ pinned }) => {
    const left = pinned.filter((each) => !isSame(each, look));
    return { pinned: left.length < pinned.length ? left : [...pinned, look] };
  });
}
