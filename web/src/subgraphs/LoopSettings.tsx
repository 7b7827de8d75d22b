import type { GraphName } from "../graph/document";
import { graphOf } from "../graph/document";
import {
  type At,
  type CallKind,
  withCarry,
  withCollect,
  withEach,
  withIndex,
  withKind,
  withUntil,
} from "../graph/loopOptions";
import { loopProblem } from "../graph/loops";
import { useDefinitions } from "../store/definitions";
import { editDocument, useTab } from "../store/editor";
import "./dialogs.css";

const KINDS: readonly (readonly [CallKind, string])[] = [
  ["graph", "Run once"],
  ["for_each", "For each item"],
  ["repeat", "Repeat"],
];

interface Props {
  readonly graph: GraphName;
  readonly node: string;
}

/** How a node runs its graph: once, or round by round, and what goes in and out of the rounds. */
export function LoopSettings({ graph, node }: Props) {
  const document = useTab((tab) => tab.document);
  const definitions = useDefinitions((state) => state.byId);
  const at: At = { graph, node };
  const entry = graphOf(document, graph).nodes?.[node];
  const inner = document.graphs?.[entry?.graph ?? ""];
  if (!entry || !inner) return null;
  const inputs = Object.keys(inner.inputs ?? {});
  const outputs = Object.keys(inner.outputs ?? {});
  const problem = loopProblem(document, entry);
  return (
    <div className="loop">
      <div className="loop-kinds" role="group" aria-label="How it runs">
        {KINDS.map(([kind, title]) => (
          <button
            key={kind}
            type="button"
            aria-pressed={entry.type === kind}
            onClick={() => editDocument("loop", (old) => withKind(old, at, kind, definitions))}
          >
            {title}
          </button>
        ))}
      </div>
      {problem && <p className="loop-problem">{problem}</p>}
      {entry.type !== "graph" && (
        <section>
          <h3>Inputs</h3>
          <div className="loop-rows">
            {inputs.map((input) => (
              <InputRow key={input} at={at} input={input} outputs={outputs} />
            ))}
            {inputs.length === 0 && <p className="loop-hint">Its nodes ask for nothing yet.</p>}
          </div>
        </section>
      )}
      {entry.type === "repeat" && (
        <section>
          <h3>Outputs</h3>
          <div className="loop-rows">
            {outputs.map((output) => (
              <label key={output} className="loop-row">
                {output}
                <select
                  value={entry.collect?.includes(output) ? "all" : "last"}
                  onChange={(event) => {
                    const isAll = event.target.value === "all";
                    editDocument("collect", (old) => withCollect(old, at, output, isAll, definitions));
                  }}
                >
                  <option value="last">of the last round</option>
                  <option value="all">a list, one from each round</option>
                </select>
              </label>
            ))}
            <label className="loop-row">
              It ends early when this is true
              <select
                value={entry.until ?? ""}
                onChange={(event) =>
                  editDocument("until", (old) => withUntil(old, at, event.target.value || undefined))
                }
              >
                <option value="">never</option>
                {outputs.map((each) => (
                  <option key={each}>{each}</option>
                ))}
              </select>
            </label>
          </div>
        </section>
      )}
    </div>
  );
}

interface RowProps {
  readonly at: At;
  readonly input: string;
  readonly outputs: readonly string[];
}

/** What an input gets: the same in every round, an item, the number of the round, or what the round before gave. */
function InputRow({ at, input, outputs }: RowProps) {
  const entry = useTab((tab) => graphOf(tab.document, at.graph).nodes?.[at.node]);
  const definitions = useDefinitions((state) => state.byId);
  const isCarried = entry?.carry?.includes(input);
  const value = isCarried
    ? `carry ${input}`
    : entry?.index === input
      ? "index"
      : entry?.each?.includes(input)
        ? "each"
        : "same";
  const choose = (next: string) =>
    editDocument("loop", (old) => {
      let left = old;
      if (value === "each") left = withEach(left, at, input, false, definitions);
      else if (value === "index") left = withIndex(left, at, undefined);
      else if (isCarried) left = withCarry(left, at, input, undefined);
      if (next === "each") return withEach(left, at, input, true, definitions);
      if (next === "index") return withIndex(left, at, input);
      return next.startsWith("carry ") ? withCarry(left, at, input, next.slice(6)) : left;
    });
  return (
    <label className="loop-row">
      {input}
      <select value={value} onChange={(event) => choose(event.target.value)}>
        <option value="same">the same in every round</option>
        {entry?.type === "for_each" && <option value="each">one item of a list</option>}
        {entry?.type === "repeat" &&
          outputs.map((output) => (
            <option key={output} value={`carry ${output}`}>
              {output} of the round before
            </option>
          ))}
        <option value="index">the number of the round</option>
      </select>
    </label>
  );
}
