// How far a run is, in one number and one line.
import type { Run } from "../running/run";

export interface Progress {
  /** From 0 to 1. */
  readonly part: number;
  readonly text: string;
}

export function progressOf(run: Run, titleOf: (place: string) => string): Progress {
  if (run.stopping === "cancel") return { part: 1, text: "Stopping…" };
  if (run.state === "queued") return { part: 0, text: run.losses > 0 ? "Trying again…" : "Waiting for its turn…" };
  if (run.state === "paused") return { part: 0, text: "Paused" };
  const nodes = Object.entries(run.nodes);
  const over = nodes.filter(([, each]) => each.state === "done" || each.state === "cached").length;
  const [place, working] = nodes.find(([, each]) => each.state === "running") ?? [];
  const within = working?.total ? (working.done ?? 0) / working.total : 0;
  const part = nodes.length > 0 ? Math.min(1, (over + within) / nodes.length) : 0;
  if (!working || place === undefined) return { part, text: "Working…" };
  const step = working.total && working.total > 1 ? `, ${working.done ?? 0} of ${working.total}` : "";
  const left = working.eta && working.eta >= 2 ? `, ${Math.round(working.eta)} s left` : "";
  return { part, text: `${titleOf(place)}${step}${left}` };
}
