// What keeps the open workflows from running, as the server tells it; the newest answer for each tab.
import { useMemo } from "react";
import { create } from "zustand";
import type { Defect } from "../api/types";
import type { GraphName } from "../graph/document";
import { useEditor } from "./editor";

const NONE: readonly Defect[] = [];

export const useDefects = create<{ readonly byTab: Readonly<Record<string, readonly Defect[]>> }>(() => ({
  byTab: {},
}));

export function setDefects(tab: string, defects: readonly Defect[]): void {
  const { byTab } = useDefects.getState();
  if ((byTab[tab] ?? NONE).length > 0 || defects.length > 0) {
    useDefects.setState({ byTab: { ...byTab, [tab]: defects } });
  }
}

/** The defects of the active tab. */
export function useTabDefects(): readonly Defect[] {
  const tab = useEditor((state) => state.active);
  return useDefects((state) => state.byTab[tab] ?? NONE);
}

/** The defects of a node, those of its inputs included. */
export function useNodeDefects(graph: GraphName, node: string): readonly Defect[] {
  const all = useTabDefects();
  return useMemo(() => {
    const found = all.filter((each) => each.graph === graph && each.node === node);
    return found.length > 0 ? found : NONE;
  }, [all, graph, node]);
}

/** What is wrong at an input, in words; "" where nothing is. */
export function useInputDefect(graph: GraphName, node: string, input: string): string {
  // there are thousands of inputs, so each listens to one store only
  return useDefects(({ byTab }) => {
    const all = byTab[useEditor.getState().active] ?? NONE;
    const found = all.find((each) => each.graph === graph && each.node === node && each.input === input);
    return found ? explain(found) : "";
  });
}

/** A defect as a sentence that says what to do. */
export function explain({ reason, remedy }: Defect): string {
  return remedy ? `${reason}; ${remedy}` : reason;
}
