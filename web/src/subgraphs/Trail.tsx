import { graphOf } from "../graph/document";
import { usesOf } from "../graph/library";
import { leaveTo, useTab } from "../store/editor";
import { Icon } from "../theme/Icon";
import { leave } from "./actions";
import "./trail.css";

/** Where one is: the workflow, and the graphs that were entered; nothing in the workflow itself. */
export function Trail() {
  const trail = useTab((tab) => tab.trail);
  const document = useTab((tab) => tab.document);
  if (trail.length === 0) return null;
  const last = trail.at(-1);
  const uses = last ? usesOf(document, last.graph).length : 0;
  return (
    <nav className="trail" aria-label="Graphs entered">
      <button type="button" className="trail-up" title="Leave this graph (Esc)" aria-label="Leave" onClick={leave}>
        <Icon name="up" size={14} />
      </button>
      <ol>
        <li>
          <button type="button" onClick={() => leaveTo(0)}>
            {document.title || "Workflow"}
          </button>
        </li>
        {trail.map(({ graph, node }, depth) => {
          const title = graphOf(document, graph).title || graph;
          const isLast = depth === trail.length - 1;
          return (
            <li key={`${depth} ${node}`}>
              <button
                type="button"
                aria-current={isLast ? "location" : undefined}
                disabled={isLast}
                onClick={() => leaveTo(depth + 1)}
              >
                {title}
              </button>
            </li>
          );
        })}
      </ol>
      {uses > 1 && <span className="trail-uses">used in {uses} places</span>}
    </nav>
  );
}
