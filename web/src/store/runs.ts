// What the server runs: how far each node of a job is, by the job that a tab shows.
import { create } from "zustand";
import { useEditor } from "./editor";

export type NodeRunState = "waiting" | "running" | "cached" | "done" | "failed" | "blocked";

/** A node in a run. key: names its result on the server; preview: the URL of the newest picture. */
export interface NodeRun {
  readonly state: NodeRunState;
  readonly done?: number;
  readonly total?: number;
  readonly seconds?: number;
  readonly key?: string;
  readonly error?: string;
  readonly preview?: string;
}

interface RunsState {
  /** The job that a tab shows, by the tab's id. */
  readonly shown: Readonly<Record<string, string>>;
  /** By job, by node as events name it. */
  readonly nodes: Readonly<Record<string, Readonly<Record<string, NodeRun>>>>;
}

export const useRuns = create<RunsState>(() => ({ shown: {}, nodes: {} }));

/** A node in the run that the active tab shows. */
export function useNodeRun(node: string): NodeRun | undefined {
  const tab = useEditor((state) => state.active);
  return useRuns((state) => state.nodes[state.shown[tab] ?? ""]?.[node]);
}
