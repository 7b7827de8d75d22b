import { removePort, shiftPort } from "../../graph/interface";
import { type Graph, type GraphName, graphOf, parsePlace } from "../../graph/document";
import { tidy } from "../../graph/edits";
import { edit, select, useTab } from "../../store/editor";
import { ICONS } from "../icons";
import { TextRow } from "./TextRow";

interface Props {
  readonly graph: GraphName;
}

/** What a workflow or subgraph is called, and what goes into it and comes out. */
export function GraphProperties({ graph }: Props) {
  const { title, description, inputs, outputs } = useTab((tab) => graphOf(tab.document, graph));
  const declared = Object.entries(inputs ?? {});
  const change = (what: "title" | "description") => (text: string) =>
    edit(`change the ${what}`, (each) => tidy<Graph>({ ...each, [what]: text || undefined }), {
      graph,
      merge: `${what} of ${graph}`,
    });
  return (
    <div className="inspector">
      <section className="inspector-names-of">
        <TextRow label="Title" value={title ?? ""} placeholder={graph || "Untitled"} onChange={change("title")} />
        <TextRow
          label="Description"
          value={description ?? ""}
          placeholder="What it makes, and what to know"
          rows={4}
          onChange={change("description")}
        />
      </section>
      <section>
        <h3>Inputs</h3>
        <p className="control-help">
          {graph === "" ? "What the run page asks for, in this order." : "What nodes that run this subgraph are given."}
          {declared.length === 0 && " Select a node to add one of its inputs."}
        </p>
        <ol className="inspector-list">
          {declared.map(([name, { title: asked, to }], index) => (
            <li key={name}>
              <button
                type="button"
                className="inspector-link"
                onClick={() => select(to.map((at) => parsePlace(at).node))}
              >
                {asked || name} <small>{to.join(", ")}</small>
              </button>
              <MoveButton name={name} by={-1} isOff={index === 0} graph={graph} />
              <MoveButton name={name} by={1} isOff={index === declared.length - 1} graph={graph} />
              <button
                type="button"
                className="field-icon"
                aria-label={`take back input ${name}`}
                title="Do not ask for it"
                onClick={() => edit("take back an input", (each) => removePort(each, "inputs", name), { graph })}
              >
                {ICONS.remove}
              </button>
            </li>
          ))}
        </ol>
      </section>
      <section>
        <h3>Results</h3>
        <ul className="inspector-list">
          {Object.entries(outputs ?? {}).map(([name, { from }]) => (
            <li key={name}>
              <button type="button" className="inspector-link" onClick={() => select([parsePlace(from).node])}>
                {name} <small>{from}</small>
              </button>
              <button
                type="button"
                className="field-icon"
                aria-label={`take back result ${name}`}
                title="No result any more"
                onClick={() => edit("take back an output", (each) => removePort(each, "outputs", name), { graph })}
              >
                {ICONS.remove}
              </button>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}

interface MoveProps extends Props {
  readonly name: string;
  readonly by: 1 | -1;
  readonly isOff: boolean;
}

function MoveButton({ graph, name, by, isOff }: MoveProps) {
  const where = by < 0 ? "up" : "down";
  return (
    <button
      type="button"
      className={`field-icon inspector-${where}`}
      aria-label={`move ${name} ${where}`}
      title={`Move ${where}`}
      disabled={isOff}
      onClick={() => edit("move an input", (each) => shiftPort(each, "inputs", name, by), { graph })}
    >
      {ICONS.down}
    </button>
  );
}
