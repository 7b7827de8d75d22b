// What the run page asks for: the declared inputs of a workflow, and what is sent for them.
import type { Defect, InputDefinition, Json } from "../api/types";
import type { Document, SeedMode } from "../graph/document";
import { problem } from "../graph/literals";
import { type Definitions, portsOf } from "../graph/ports";
import { MAX_SEED, drawSeed } from "../graph/seeds";

/** A declared input as it is asked for. */
export interface Asked {
  readonly input: InputDefinition;
  readonly title: string;
  readonly isSeed: boolean;
}

export type Values = Readonly<Record<string, Json>>;

export function askedInputs(document: Document, definitions: Definitions): readonly Asked[] {
  const name = "workflow";
  const call = { type: "graph", graph: name };
  const ports = portsOf({ ...document, graphs: { ...document.graphs, [name]: document } }, call, definitions);
  return (ports?.inputs ?? []).map((input) => ({
    input,
    title: document.inputs?.[input.name]?.title || input.name.replaceAll("_", " "),
    isSeed: input.widget?.kind === "seed",
  }));
}

/** How a seed changes from run to run: as the workflow says, else it is drawn anew, since the same picture again is of no use here. */
export function seedMode(document: Document, name: string): SeedMode {
  const modes = document.inputs?.[name]?.to.map((at) => document.layout?.seeds?.[at]);
  return modes?.find((each) => each !== undefined) ?? "random";
}

/** What is wrong before anything is sent, by input. */
export function problemsOf(asked: readonly Asked[], values: Values): Readonly<Record<string, string>> {
  const found = asked.flatMap(({ input }) => {
    const value = values[input.name];
    if (value === undefined) return input.required ? [[input.name, "it is needed"] as const] : [];
    const reason = problem(value, input.type);
    return reason ? [[input.name, reason] as const] : [];
  });
  return Object.fromEntries(found);
}

/** Defects by the declared input that they concern; those of no input stay apart. */
export function placed(document: Document, defects: readonly Defect[]) {
  const at: Record<string, string> = {};
  const others: string[] = [];
  for (const defect of defects) {
    const text = defect.remedy ? `${defect.reason}; ${defect.remedy}` : defect.reason;
    const name = Object.entries(document.inputs ?? {}).find(
      ([each, { to }]) => to.includes(`${defect.node}.${defect.input}`) || (!defect.node && each === defect.input),
    )?.[0];
    if (name !== undefined) at[name] = text;
    else others.push(defect.node ? `${defect.node}: ${text}` : text);
  }
  return { at, others };
}

/** The inputs of each of `count` runs: seeds change from one to the next as their modes say. */
export function rowsOf(
  asked: readonly Asked[],
  values: Values,
  modes: Readonly<Record<string, SeedMode>>,
  used: (name: string, seed: number) => boolean,
  count: number,
  draw: () => number = drawSeed,
): Values[] {
  const rows: Values[] = [];
  for (let index = 0; index < count; index += 1) {
    const row: Record<string, Json> = { ...values };
    for (const { input, isSeed } of asked) {
      if (!isSeed) continue;
      const mode = modes[input.name] ?? "fixed";
      const last = Number(rows.at(-1)?.[input.name] ?? row[input.name] ?? input.default ?? 0);
      // several runs of one seed would be one picture several times
      if (mode === "random") row[input.name] = draw();
      else if (index > 0 || (mode === "increment" && used(input.name, last)))
        row[input.name] = last >= MAX_SEED ? 0 : last + 1;
    }
    rows.push(row);
  }
  return rows;
}
