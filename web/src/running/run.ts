// A job as its events tell it, node by node. Pure: events in, a new run out.
import type { Job, JobEvent, JobState } from "../api/jobs";
import { around, placeOf, roundOf } from "./paths";

export type NodeRunState = "waiting" | "running" | "cached" | "done" | "failed" | "blocked";

/** A node in a run; of one in a loop, its newest round. Times are milliseconds since 1970. */
export interface NodeRun {
  readonly state: NodeRunState;
  /** As the server names it, with numbers of rounds. */
  readonly name: string;
  readonly began?: number;
  readonly done?: number;
  readonly total?: number;
  readonly rate?: number;
  readonly eta?: number;
  readonly message?: string;
  /** Of all rounds. */
  readonly seconds?: number;
  /** Names its result on the server. */
  readonly key?: string;
  /** Why it failed or is blocked. */
  readonly error?: string;
  readonly log?: readonly string[];
  /** What it wrote, as names in the output folder. */
  readonly files?: readonly string[];
  /** What works inside it. */
  readonly inside?: string;
}

export type NodeRuns = Readonly<Record<string, NodeRun>>;

export interface Run {
  readonly job: string;
  readonly state: JobState;
  readonly stopping: "" | "cancel" | "pause";
  readonly began: number | null;
  readonly ended: number | null;
  /** How many workers it lost. */
  readonly losses: number;
  readonly error: string;
  /** Names of the files that the job has, in its order; known when it is over. */
  readonly files: readonly string[];
  /** Nodes by their place; see `placeOf`. */
  readonly nodes: NodeRuns;
  /** Nodes that run others, by their place: what their nodes come to. */
  readonly groups: NodeRuns;
  /** The last event that is in it. */
  readonly sequence: number;
}

const LOG_LINES = 50;

export function newRun(job: string): Run {
  const nothing = { began: null, ended: null, losses: 0, error: "", files: [], nodes: {}, groups: {}, sequence: 0 };
  return { job, state: "queued", stopping: "", ...nothing };
}

/** A run with what happened since; events that are in it already change nothing. */
export function advance(run: Run, events: readonly JobEvent[]): Run {
  const draft: Draft = { ...run, nodes: { ...run.nodes }, groups: { ...run.groups } };
  const touched = new Set<string>();
  for (const event of events) {
    if (event.job !== run.job || event.sequence <= draft.sequence) continue;
    draft.sequence = event.sequence;
    if (event.kind.startsWith("node_")) happenNode(draft, event, touched);
    else happen(draft, event);
  }
  if (draft.sequence === run.sequence) return run;
  for (const group of new Set([...touched].flatMap(around))) {
    const found = summary(draft.nodes, group);
    if (found) draft.groups[group] = found;
  }
  return draft;
}

/** A run with what the job itself says, which counts where no events are left. */
export function withJob(run: Run, job: Job): Run {
  const node = job.error?.node ? placeOf(job.error.node) : "";
  const known = run.nodes[node];
  const failed = job.error && node && known?.state !== "failed";
  return {
    ...run,
    state: job.state,
    stopping: job.wish ?? "",
    losses: job.losses,
    error: job.error?.message ?? "",
    files: job.files.map((each) => each.path),
    began: run.began ?? (job.started ? Date.parse(job.started) : null),
    ended: job.finished ? Date.parse(job.finished) : null,
    nodes: failed
      ? { ...run.nodes, [node]: { name: node, ...known, state: "failed", error: job.error.message } }
      : run.nodes,
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Draft = Omit<Mutable<Run>, "nodes" | "groups"> & {
  nodes: Record<string, NodeRun>;
  groups: Record<string, NodeRun>;
};

function happen(run: Draft, { kind, data, time }: JobEvent): void {
  const now = Date.parse(time);
  const settle = (state: JobState) => Object.assign(run, { state, stopping: "" });
  switch (kind) {
    case "started":
      Object.assign(run, { state: "running", stopping: "", began: now, ended: null, error: "", nodes: {}, groups: {} });
      break;
    case "run_started":
      for (const name of data["nodes"] as readonly string[]) run.nodes[placeOf(name)] = { state: "waiting", name };
      break;
    case "cancelling":
      run.stopping = "cancel";
      break;
    case "pausing":
      run.stopping = "pause";
      break;
    case "queued":
    case "resumed":
      if (run.state === "running") run.stopping = "";
      else settle("queued");
      break;
    case "retried":
      Object.assign(run, { state: "queued", began: null, ended: null, losses: 0, error: "", nodes: {}, groups: {} });
      break;
    case "interrupted":
      settle("queued");
      run.losses = Number(data["losses"] ?? run.losses);
      stop(run);
      break;
    case "paused":
      settle("paused");
      stop(run);
      break;
    case "done":
    case "failed":
    case "cancelled":
      settle(kind);
      run.ended = now;
      fail(run, data["error"]);
      stop(run);
      break;
  }
}

/** What an error of the job says of a node that could not tell it itself. */
function fail(run: Draft, error: unknown): void {
  if (typeof error !== "object" || error === null) return;
  const { message, node } = error as { message: string; node: string };
  run.error = message;
  const place = placeOf(node);
  if (node && run.nodes[place]?.state !== "failed") {
    run.nodes[place] = { ...run.nodes[place], name: node, state: "failed", error: message };
  }
}

/** Nothing works any more, and what waited was not needed. */
function stop(run: Draft): void {
  const left = Object.entries(run.nodes).filter(([, { state }]) => state !== "waiting" && state !== "running");
  run.nodes = Object.fromEntries(left);
  run.groups = {};
  for (const group of new Set(Object.keys(run.nodes).flatMap(around))) {
    const found = summary(run.nodes, group);
    if (found) run.groups[group] = found;
  }
}

function happenNode(run: Draft, event: JobEvent, touched: Set<string>): void {
  const name = String(event.data["node"]);
  const place = placeOf(name);
  touched.add(place);
  run.nodes[place] = nodeAfter(run.nodes[place], name, event);
}

function nodeAfter(old: NodeRun | undefined, name: string, { kind, data, time }: JobEvent): NodeRun {
  const before: NodeRun = old ?? { state: "waiting", name };
  const key = typeof data["key"] === "string" && data["key"] !== "" ? { key: data["key"] } : {};
  const kept = { name, ...(before.seconds === undefined ? {} : { seconds: before.seconds }) };
  switch (kind) {
    case "node_started":
      return { ...kept, state: "running", began: Date.parse(time) };
    case "node_progress": {
      const { done, total, message, rate, eta } = data["progress"] as unknown as Progress;
      const known = { ...(rate === null ? {} : { rate }), ...(eta === null ? {} : { eta }) };
      const began = before.began ?? Date.parse(time);
      return { ...kept, ...logOf(before), state: "running", began, done, total, message, ...known };
    }
    case "node_cached":
      return { ...kept, ...key, state: "cached" };
    case "node_finished": {
      const again = roundOf(name) === null ? 0 : (before.seconds ?? 0);
      return { name, ...logOf(before), ...key, state: "done", seconds: again + Number(data["seconds"]) };
    }
    case "node_blocked":
      return { ...kept, state: "blocked", error: String(data["reason"]) };
    case "node_erred":
      return { ...kept, ...logOf(before), state: "failed", error: String(data["error"]) };
    case "node_log":
      return { ...before, log: [...(before.log ?? []), String(data["text"])].slice(-LOG_LINES) };
    case "node_file":
      return { ...before, files: [...(before.files ?? []), String(data["path"]).replace(/^output\//, "")] };
    default:
      return before;
  }
}

interface Progress {
  readonly done: number;
  readonly total: number;
  readonly message: string;
  readonly rate: number | null;
  readonly eta: number | null;
}

function logOf({ log, files }: NodeRun) {
  return { ...(log ? { log } : {}), ...(files ? { files } : {}) };
}

const HARDEST: readonly NodeRunState[] = ["failed", "running"];

/** What the nodes inside a node come to. */
export function summary(nodes: NodeRuns, group: string): NodeRun | undefined {
  const inside = Object.entries(nodes).filter(([place]) => place.startsWith(`${group}/`));
  if (inside.length === 0) return undefined;
  const states = new Set(inside.map(([, each]) => each.state));
  const over = inside.filter(([, each]) => !["waiting", "running"].includes(each.state)).length;
  const begun = inside.flatMap(([, each]) => each.began ?? []);
  const seconds = inside.reduce((sum, [, each]) => sum + (each.seconds ?? 0), 0);
  const worker = inside.find(([, each]) => each.state === "running")?.[1];
  const error = inside.find(([, each]) => each.state === "failed")?.[1].error;
  return {
    name: group,
    state: HARDEST.find((each) => states.has(each)) ?? mixed(states),
    done: over,
    total: inside.length,
    ...(begun.length > 0 ? { began: Math.min(...begun) } : {}),
    ...(seconds > 0 ? { seconds } : {}),
    ...(worker ? { inside: worker.name.slice(group.length) } : {}),
    ...(error ? { error } : {}),
  };
}

function mixed(states: ReadonlySet<NodeRunState>): NodeRunState {
  const [first] = states;
  if (states.size === 1 && first) return first;
  return states.has("waiting") ? "running" : "done";
}

/** How much of a run is over, from 0 to 1; null where nothing is known. */
export function fraction(run: Run): number | null {
  const nodes = Object.entries(run.nodes).filter(
    ([place]) => !place.includes("/") || !run.nodes[around(place)[0] ?? ""],
  );
  if (nodes.length === 0) return null;
  const done = nodes.reduce((sum, [, node]) => sum + partOf(node), 0);
  return done / nodes.length;
}

function partOf({ state, done, total }: NodeRun): number {
  if (state === "waiting") return 0;
  if (state !== "running") return 1;
  return done !== undefined && total ? Math.min(1, done / total) : 0;
}
