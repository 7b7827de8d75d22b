import { graphOf } from "../../graph/document";
import { select, shownGraph, useTab } from "../../store/editor";
import { GraphProperties } from "./GraphProperties";
import { NodeProperties } from "./NodeProperties";
import "./inspector.css";

/** The properties of the selected node; of the workflow where none is selected. */
export function Inspector() {
  const graph = useTab(shownGraph);
  const nodes = useTab((tab) => graphOf(tab.document, graph).nodes);
  const selected = useTab((tab) => tab.selected);
  const names = [...selected].filter((each) => nodes?.[each]);
  const [first] = names;
  if (first === undefined) return <GraphProperties graph={graph} />;
  if (names.length === 1) return <NodeProperties key={first} graph={graph} name={first} />;
  return (
    <div className="inspector">
      <p>{names.length} nodes are selected.</p>
      <ul className="inspector-names">
        {names.map((each) => (
          <li key={each}>
            <button type="button" onClick={() => select([each])}>
              {each}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
