import type { InputDefinition } from "../../api/types";
import { declaredAt, describeInput, nameFor } from "../../graph/declared";
import { type GraphName, graphOf, place } from "../../graph/document";
import { undeclare } from "../../graph/edits";
import { declareInput } from "../../graph/interface";
import { edit, useTab } from "../../store/editor";
import { TextRow } from "./TextRow";

interface Props {
  readonly graph: GraphName;
  readonly node: string;
  readonly input: InputDefinition;
}

/** Whether the workflow asks for an input whenever it is run, and with which words. */
export function DeclaredSwitch({ graph, node, input }: Props) {
  const end = { node, port: input.name };
  const declared = useTab((tab) => declaredAt(graphOf(tab.document, graph), end)?.[1]);
  const name = useTab((tab) => declaredAt(graphOf(tab.document, graph), end)?.[0]);
  return (
    <div className="inspector-declared">
      <label className="inspector-switch">
        <input
          type="checkbox"
          role="switch"
          className="field-switch"
          checked={declared !== undefined}
          onChange={(event) =>
            event.target.checked
              ? edit(
                  "declare an input",
                  (each) => declareInput(each, place(end.node, end.port), undefined, nameFor(each.inputs, end)),
                  { graph },
                )
              : edit("take back an input", (each) => undeclare(each, end), { graph })
          }
        />
        {graph === "" ? "Ask for this on the run page" : "An input of this subgraph"}
      </label>
      {declared && name !== undefined && (
        <>
          <TextRow
            label="Asked as"
            value={declared.title ?? ""}
            placeholder={name}
            onChange={(title) =>
              edit("title of an input", (each) => describeInput(each, name, { title }), merged("title"))
            }
          />
          <TextRow
            label="Help"
            value={declared.help ?? ""}
            placeholder={input.doc}
            onChange={(help) => edit("help of an input", (each) => describeInput(each, name, { help }), merged("help"))}
          />
        </>
      )}
    </div>
  );

  function merged(what: string) {
    return { graph, merge: `${what} ${graph}/${name}` };
  }
}
