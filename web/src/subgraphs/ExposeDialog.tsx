import { graphOf, place, wiresOf } from "../graph/document";
import { undeclare } from "../graph/edits";
import { changeGraph, declareInput } from "../graph/interface";
import { portsOf } from "../graph/ports";
import { useDefinitions } from "../store/definitions";
import { editDocument, useTab } from "../store/editor";
import type { Located } from "./paths";
import "./dialogs.css";

/** Which inputs of a node are asked for from outside its graph; for the workflow itself, from who runs it. */
export function ExposeDialog({ graph, node }: Located) {
  const document = useTab((tab) => tab.document);
  const definitions = useDefinitions((state) => state.byId);
  const { nodes = {}, inputs: declared = {} } = graphOf(document, graph);
  const entry = nodes[node];
  const inputs = (entry && portsOf(document, entry, definitions)?.inputs) ?? [];
  const change = (port: string, isOn: boolean) =>
    editDocument(isOn ? "expose an input" : "hide an input", (old) =>
      changeGraph(old, graph, (each) =>
        isOn ? declareInput(each, place(node, port)) : undeclare(each, { node, port }),
      ),
    );
  return (
    <div className="loop">
      <p className="loop-hint">
        {graph === ""
          ? "These are asked for when the workflow is run, on its form page and by other programs."
          : "These become inputs of the graph; the value here stays as what is taken when none is given."}
      </p>
      <div className="loop-rows">
        {inputs.map(({ name }) => {
          const as = Object.entries(declared).find(([, { to }]) => to.includes(place(node, name)))?.[0];
          const isWired = wiresOf(entry?.inputs?.[name]).length > 0;
          return (
            <label key={name} className="expose-row">
              <input
                type="checkbox"
                checked={as !== undefined}
                disabled={isWired}
                onChange={(event) => change(name, event.target.checked)}
              />
              <span>{name}</span>
              <small>{isWired ? "is wired" : as !== undefined && as !== name ? `as ${as}` : ""}</small>
            </label>
          );
        })}
      </div>
    </div>
  );
}
