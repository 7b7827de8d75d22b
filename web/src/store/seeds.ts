// The seeds that runs of a tab used, the newest first.
import { create } from "zustand";
import type { Document } from "../graph/document";
import { nextSeeds, seedsOf } from "../graph/seeds";
import { useDefinitions } from "./definitions";

const KEPT = 12;

/** By "tab/graph/node.input". */
export const useSeedHistory = create<Readonly<Record<string, readonly number[]>>>(() => ({}));

export function seedKey(tab: string, graph: string, at: string): string {
  return `${tab}/${graph}/${at}`;
}

/** The document that a tab runs next, with new seeds where it wants them; they are remembered. */
export function drawSeeds(tab: string, document: Document): Document {
  const known = useSeedHistory.getState();
  const next = nextSeeds(document, (graph, at, seed) => known[seedKey(tab, graph, at)]?.includes(seed) ?? false);
  const found = seedsOf(next, useDefinitions.getState().byId).map(({ graph, at, seed }) => {
    const key = seedKey(tab, graph, at);
    return [key, [seed, ...(known[key] ?? []).filter((each) => each !== seed)].slice(0, KEPT)] as const;
  });
  useSeedHistory.setState(Object.fromEntries(found));
  return next;
}
