import { useId, useState } from "react";
import { graphOf, parsePlace } from "../graph/document";
import { choicesOf } from "../graph/loops";
import { portsOf } from "../graph/ports";
import { closeDialog } from "../shell/dialogs";
import { useDefinitions } from "../store/definitions";
import { activeTab } from "../store/editor";
import { forEachOf } from "./actions";
import { chosenNodes } from "./selection";
import "./dialogs.css";

/** Ask which inputs of the selected nodes get another value in every round. */
export function ForEachDialog() {
  const definitions = useDefinitions((state) => state.byId);
  const [{ document, graph, names }] = useState(() => ({ document: activeTab().document, ...chosenNodes() }));
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const id = useId();
  const { nodes = {} } = graphOf(document, graph);
  const byNode = new Map<string, string[]>();
  for (const at of choicesOf(document, graph, names, definitions)) {
    const { node } = parsePlace(at);
    byNode.set(node, [...(byNode.get(node) ?? []), at]);
  }
  const toggle = (at: string) =>
    setChosen(chosen.includes(at) ? chosen.filter((each) => each !== at) : [...chosen, at]);
  return (
    <form
      className="each"
      onSubmit={(event) => {
        event.preventDefault();
        closeDialog();
        forEachOf(chosen);
      }}
    >
      <p>The selected nodes run once for every item. Choose the inputs that get another item each time.</p>
      <div className="each-choices">
        {[...byNode].map(([node, places]) => {
          const entry = nodes[node];
          const title = entry?.title || (entry && portsOf(document, entry, definitions)?.title) || node;
          return (
            <fieldset key={node}>
              <legend>{title}</legend>
              {places.map((at) => (
                <label key={at} htmlFor={`${id}${at}`}>
                  <input id={`${id}${at}`} type="checkbox" checked={chosen.includes(at)} onChange={() => toggle(at)} />
                  {parsePlace(at).port}
                </label>
              ))}
            </fieldset>
          );
        })}
      </div>
      <footer className="each-buttons">
        <button type="button" onClick={closeDialog}>
          Cancel
        </button>
        <button type="submit" className="primary" disabled={chosen.length === 0}>
          Make the loop
        </button>
      </footer>
    </form>
  );
}
