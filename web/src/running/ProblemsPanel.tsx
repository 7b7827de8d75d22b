import { useReactFlow } from "@xyflow/react";
import type { Defect } from "../api/types";
import { wayTo } from "../running/paths";
import { explain, useTabDefects } from "../store/defects";
import { activeTab, changeTab, select } from "../store/editor";
import { useShownRun } from "../store/runs";
import { Icon } from "../theme/Icon";
import { BeforeRun } from "./BeforeRun";
import "./problems.css";

/** What keeps the workflow from running, and what went wrong in the run that is shown; each leads to its node. */
export function ProblemsPanel() {
  const defects = useTabDefects();
  const error = useShownRun((run) => (run?.state === "failed" ? run.error : ""));
  const { fitView } = useReactFlow();
  const jump = ({ graph, node }: Defect) => {
    showGraph(graph);
    select([node]);
    setTimeout(() => void fitView({ nodes: [{ id: node }], maxZoom: 1.2, duration: 250 }), 50);
  };
  return (
    <>
      {defects.length === 0 && !error && <p className="hint">No problems: the workflow can run.</p>}
      {error && (
        <section className="problem problem-run" aria-label="The last run failed">
          <strong>The last run failed</strong>
          <p>{error}</p>
        </section>
      )}
      <ul className="problems" aria-label="Problems">
        {defects.map((each, index) => (
          <li key={index}>
            <button type="button" className="problem" disabled={!each.node} onClick={() => jump(each)}>
              <Icon name="warning" size={14} />
              <span>
                <strong>{where(each)}</strong>
                {explain(each)}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <BeforeRun />
    </>
  );
}

function where({ graph, node, input }: Defect): string {
  return [graph, node, input].filter(Boolean).join(" › ") || "The workflow";
}

/** Show a graph of the active tab, entered by the first nodes that lead there. */
function showGraph(graph: string): void {
  const tab = activeTab();
  if ((tab.trail.at(-1)?.graph ?? "") === graph) return;
  const trail = wayTo(tab.document, "", graph) ?? [];
  changeTab(tab.id, (each) => ({ ...each, trail, selected: new Set<string>() }));
}
