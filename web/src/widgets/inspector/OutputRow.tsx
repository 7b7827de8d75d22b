import type { OutputDefinition } from "../../api/types";
import { colourOf } from "../../canvas/colours";
import { declaredOutputAt, nameFor } from "../../graph/declared";
import { declareOutput, removePort } from "../../graph/interface";
import { type GraphName, graphOf, place } from "../../graph/document";
import { describe } from "../../graph/portTypes";
import { edit, useTab } from "../../store/editor";

interface Props {
  readonly graph: GraphName;
  readonly node: string;
  readonly output: OutputDefinition;
}

/** An output: what it gives, and whether it is a result of the workflow. */
export function OutputRow({ graph, node, output }: Props) {
  const end = { node, port: output.name };
  const declared = useTab((tab) => declaredOutputAt(graphOf(tab.document, graph), end)?.[0]);
  return (
    <div className="inspector-output">
      <span className="inspector-dot" style={{ background: colourOf(output.type) }} />
      <span className="inspector-output-name">{output.name}</span>
      <span className="inspector-type">{describe(output.type)}</span>
      <label className="inspector-switch">
        <input
          type="checkbox"
          role="switch"
          className="field-switch"
          checked={declared !== undefined}
          onChange={(event) =>
            event.target.checked
              ? edit(
                  "declare an output",
                  (each) => declareOutput(each, place(end.node, end.port), undefined, nameFor(each.outputs, end)),
                  { graph },
                )
              : edit("take back an output", (each) => removePort(each, "outputs", declared ?? ""), { graph })
          }
        />
        Result
      </label>
      {output.doc && <p className="control-help">{output.doc}</p>}
    </div>
  );
}
