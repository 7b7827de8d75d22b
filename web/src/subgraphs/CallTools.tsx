import type { GraphName, NodeEntry } from "../graph/document";
import { usesOf } from "../graph/library";
import { describeCall, loopProblem } from "../graph/loops";
import { CALLS } from "../graph/ports";
import { openDialog } from "../shell/dialogs";
import { Icon } from "../theme/Icon";
import { useTab } from "../store/editor";
import { LoopSettings } from "./LoopSettings";
import { enterNode, makeIndependent } from "./actions";
import { toggleOpen } from "./inPlace";
import "./call.css";

interface Props {
  readonly id: string;
  readonly graph: GraphName;
  readonly name: string;
  readonly entry: NodeEntry;
  readonly isOpen: boolean;
}

/** What a node that runs a graph does, with buttons to set it, to open it in place and to enter the graph. */
export function CallTools({ id, graph, name, entry, isOpen }: Props) {
  const uses = useTab((tab) => (CALLS.has(entry.type) ? usesOf(tab.document, entry.graph ?? "").length : 0));
  const problem = useTab((tab) => loopProblem(tab.document, entry));
  const isThere = useTab((tab) => tab.document.graphs?.[entry.graph ?? ""] !== undefined);
  if (!CALLS.has(entry.type) || !isThere) return null;
  const settings = () => openDialog({ title: "How it runs", content: <LoopSettings graph={graph} node={name} /> });
  return (
    <div className="call-tools nodrag">
      <button
        type="button"
        className="call-kind"
        data-problem={problem ? "" : undefined}
        title={problem ?? "How it runs"}
        onClick={settings}
      >
        {describeCall(entry) || "run once"}
      </button>
      {uses > 1 && (
        <button
          type="button"
          className="call-uses"
          title={`Used in ${uses} places; changes inside count for all of them. Click to make this one independent.`}
          onClick={() => makeIndependent(graph, name)}
        >
          {isOpen ? `used in ${uses} places` : `× ${uses}`} {isOpen && <span>make independent</span>}
        </button>
      )}
      <span className="call-space" />
      <button
        type="button"
        className="call-button"
        aria-expanded={isOpen}
        aria-label={isOpen ? "Close in place" : "Open in place"}
        title={isOpen ? "Close in place" : "Open in place"}
        onClick={() => void toggleOpen(id)}
      >
        <Icon name={isOpen ? "fold" : "region"} size={14} />
      </button>
      <button
        type="button"
        className="call-button"
        aria-label="Enter the graph"
        title="Enter the graph (or double-click the title)"
        onClick={() => enterNode(id)}
      >
        <Icon name="enter" size={14} />
      </button>
    </div>
  );
}
