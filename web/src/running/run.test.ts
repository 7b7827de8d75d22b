import { describe, expect, it } from "vitest";
import type { Job, JobEvent } from "../api/jobs";
import { type Run, advance, fraction, newRun, withJob } from "./run";

const BEGAN = Date.parse("2026-01-01T10:00:00Z");

function events(...told: readonly (readonly [string, JobEvent["data"]?])[]): JobEvent[] {
  return told.map(([kind, data], index) => ({
    sequence: index + 1,
    job: "a",
    kind,
    time: new Date(BEGAN + index * 1000).toISOString(),
    data: data ?? {},
  }));
}

const progress = (node: string, done: number, total: number) =>
  ["node_progress", { node, progress: { done, total, message: "", rate: 2, eta: 5 } }] as const;

const BEGUN = [["queued"], ["started", { claim: 1 }], ["run_started", { nodes: ["load", "sample", "save"] }]] as const;

describe("advance", () => {
  it("tells of each node how far it is", () => {
    const run = advance(
      newRun("a"),
      events(
        ...BEGUN,
        ["node_cached", { node: "load", key: "k1" }],
        ["node_started", { node: "sample" }],
        progress("sample", 3, 20),
      ),
    );
    expect(run.state).toBe("running");
    expect(run.began).toBe(BEGAN + 1000);
    expect(run.nodes["load"]).toMatchObject({ state: "cached", key: "k1" });
    expect(run.nodes["sample"]).toMatchObject({ state: "running", done: 3, total: 20, rate: 2, eta: 5 });
    expect(run.nodes["save"]).toMatchObject({ state: "waiting" });
    expect(fraction(run)).toBeCloseTo((1 + 3 / 20) / 3);
  });

  it("counts no event twice, however they are cut", () => {
    const all = events(
      ...BEGUN,
      ["node_started", { node: "sample" }],
      ["node_finished", { node: "sample", seconds: 1.5, key: "k" }],
      ["done", { seconds: 2 }],
    );
    const whole = advance(newRun("a"), all);
    for (let cut = 0; cut <= all.length; cut += 1) {
      const half = advance(newRun("a"), all.slice(0, cut));
      expect(advance(half, all)).toEqual(whole);
    }
    expect(advance(whole, all)).toBe(whole);
  });

  it("leaves nothing waiting or at work when the job is over", () => {
    const run = advance(newRun("a"), events(...BEGUN, ["node_started", { node: "load" }], ["cancelled"]));
    expect(run.state).toBe("cancelled");
    expect(run.nodes).toEqual({});
  });

  it("puts an error on its node, also one that the job tells", () => {
    const error = { kind: "memory", message: "it used too much", node: "sample", defects: [] };
    const run = advance(newRun("a"), events(...BEGUN, ["node_started", { node: "sample" }], ["failed", { error }]));
    expect(run.error).toBe("it used too much");
    expect(run.nodes["sample"]).toMatchObject({ state: "failed", error: "it used too much" });
  });

  it("begins anew when a worker was lost", () => {
    const lost = advance(
      newRun("a"),
      events(...BEGUN, ["node_started", { node: "load" }], ["interrupted", { losses: 1, error: {} }]),
    );
    expect(lost).toMatchObject({ state: "queued", losses: 1 });
    const [, , , , , again] = events(["x"], ["x"], ["x"], ["x"], ["x"], ["started", { claim: 2 }]);
    expect(advance(lost, [again as JobEvent])).toMatchObject({ state: "running", losses: 1, nodes: {} });
  });

  it("sums up rounds of a loop at the node that runs them", () => {
    const run = advance(
      newRun("a"),
      events(
        ["started"],
        ["run_started", { nodes: ["each"] }],
        ["node_started", { node: "each[0]/text" }],
        ["node_finished", { node: "each[0]/text", seconds: 1, key: "" }],
        progress("each", 1, 3),
        ["node_started", { node: "each[1]/text" }],
      ),
    );
    expect(run.nodes["each"]).toMatchObject({ done: 1, total: 3 });
    expect(run.nodes["each/text"]).toMatchObject({ state: "running", name: "each[1]/text", seconds: 1 });
    expect(run.groups["each"]).toMatchObject({ state: "running", inside: "[1]/text" });
  });

  it("adds up what the rounds of a node took", () => {
    const round = (index: number) =>
      [
        ["node_started", { node: `each[${index}]/text` }],
        ["node_finished", { node: `each[${index}]/text`, seconds: 2, key: "" }],
      ] as const;
    const run = advance(newRun("a"), events(["started"], ...round(0), ...round(1)));
    expect(run.nodes["each/text"]?.seconds).toBe(4);
  });

  it("knows which files a node wrote", () => {
    const run = advance(
      newRun("a"),
      events(
        ["started"],
        ["node_started", { node: "save" }],
        ["node_file", { node: "save", path: "output/cats/a.png" }],
        ["node_finished", { node: "save", seconds: 0, key: "" }],
      ),
    );
    expect(run.nodes["save"]?.files).toEqual(["cats/a.png"]);
  });
});

describe("withJob", () => {
  it("takes over what the job says", () => {
    const job = {
      state: "failed",
      wish: null,
      losses: 3,
      started: null,
      finished: "2026-01-01T10:00:09Z",
      error: { kind: "worker", message: "its worker crashed", node: "each[2]/text", defects: [] },
      files: [],
    } as unknown as Job;
    const run: Run = withJob(newRun("a"), job);
    expect(run).toMatchObject({ state: "failed", losses: 3, ended: BEGAN + 9000, error: "its worker crashed" });
    expect(run.nodes["each/text"]).toMatchObject({ state: "failed" });
  });
});
