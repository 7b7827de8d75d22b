import { useMemo, useState } from "react";
import { ApiError, request } from "../api/http";
import { type Job, submitJob } from "../api/jobs";
import type { Document, SeedMode } from "../graph/document";
import { useDefinitions } from "../store/definitions";
import { RunForm } from "./RunForm";
import { RunHistory } from "./RunHistory";
import { RunView } from "./RunView";
import { type Values, askedInputs, placed, problemsOf, rowsOf, seedMode } from "./asked";
import { useKept } from "./useKept";
import { useRunsOf } from "./useRunsOf";

interface Props {
  readonly name: string;
  readonly document: Document;
}

interface Faults {
  readonly at: Readonly<Record<string, string>>;
  readonly others: readonly string[];
}

const NO_FAULTS: Faults = { at: {}, others: [] };

/** The form, the run that is shown, and those before it. */
export function Workbench({ name, document }: Props) {
  const definitions = useDefinitions((state) => state.byId);
  const asked = useMemo(() => askedInputs(document, definitions), [document, definitions]);
  const [values, setValues] = useKept<Values>(`nodegraph.run.${name}`, {});
  const [modes, setModes] = useState<Readonly<Record<string, SeedMode>>>(() =>
    Object.fromEntries(
      asked.filter((each) => each.isSeed).map(({ input }) => [input.name, seedMode(document, input.name)]),
    ),
  );
  const [faults, setFaults] = useState(NO_FAULTS);
  const [isSending, setSending] = useState(false);
  const [chosen, setChosen] = useState<string | null>(null);
  const jobs = useRunsOf(name);
  const shown = jobs.find((each) => each.id === chosen) ?? jobs[0];
  const known = useMemo(
    () => Object.fromEntries(Object.entries(values).filter(([each]) => document.inputs?.[each])),
    [values, document],
  );

  const send = async (count: number) => {
    const at = problemsOf(asked, known);
    setFaults({ at, others: [] });
    if (Object.keys(at).length > 0) return;
    const isUsed = (input: string, seed: number) => jobs.some((each) => each.inputs[input] === seed);
    const rows = rowsOf(asked, known, modes, isUsed, count);
    setSending(true);
    try {
      await submit(name, document, rows);
      setValues({ ...values, ...rows.at(-1) });
      setChosen(null);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const found = placed(document, error.defects);
      setFaults(error.defects.length > 0 ? found : { at: {}, others: [error.message] });
    } finally {
      setSending(false);
    }
  };

  return (
    <div className="run-bench">
      <RunForm
        description={document.description ?? ""}
        asked={asked}
        values={known}
        modes={modes}
        faults={faults.at}
        others={faults.others}
        seedsOf={(input) => seedsOf(jobs, input)}
        isSending={isSending}
        onChange={(input, value) => {
          setFaults(NO_FAULTS);
          const rest = Object.fromEntries(Object.entries(values).filter(([each]) => each !== input));
          setValues(value === undefined ? rest : { ...values, [input]: value });
        }}
        onMode={(input, mode) => setModes({ ...modes, [input]: mode })}
        onRun={(count) => void send(count)}
      />
      <section className="run-side" aria-label="Result">
        <RunView key={shown?.id} job={shown} document={document} />
        <RunHistory jobs={jobs} shown={shown?.id} onShow={setChosen} onTake={(job) => setValues(job.inputs)} />
      </section>
    </div>
  );
}

function submit(label: string, workflow: Document, rows: readonly Values[]): Promise<unknown> {
  if (rows.length > 1) return request("POST", "/batches", { json: { workflow, rows, label } });
  return submitJob({ workflow, inputs: rows[0] ?? {}, label });
}

function seedsOf(jobs: readonly Job[], input: string): readonly number[] {
  const found = jobs.map((each) => each.inputs[input]).filter((each) => typeof each === "number");
  return [...new Set(found)].slice(0, 12);
}
