import { useState } from "react";
import { pointerOnCanvas } from "../canvas/state";
import type { Graph } from "../graph/document";
import { deleteGraph, reaches, renameGraph, usesOf } from "../graph/library";
import { editDocument, select, shownGraph, useTab } from "../store/editor";
import { insertGraph } from "./entries";
import "./graphs.css";

/** The graphs of the document: to rename them, to use them again, and to delete those that nothing uses. */
export function GraphsPanel() {
  const document = useTab((tab) => tab.document);
  const shown = useTab(shownGraph);
  const graphs = Object.entries(document.graphs ?? {});
  if (graphs.length === 0) {
    return (
      <p className="graphs-none">
        This workflow has no graphs yet. Select some nodes and choose “Make a graph of the selection” in the Graph menu.
      </p>
    );
  }
  return (
    <ul className="graphs">
      {graphs.map(([name, graph]) => (
        <GraphRow
          key={name}
          name={name}
          graph={graph}
          uses={usesOf(document, name).length}
          canInsert={shown === "" || !reaches(document, name, shown)}
        />
      ))}
    </ul>
  );
}

interface Props {
  readonly name: string;
  readonly graph: Graph;
  readonly uses: number;
  readonly canInsert: boolean;
}

function GraphRow({ name, graph, uses, canInsert }: Props) {
  const [text, setText] = useState<string | null>(null);
  const finish = () => {
    const wanted = text?.trim();
    setText(null);
    if (wanted && wanted !== name) editDocument("rename the graph", (old) => renameGraph(old, name, wanted));
  };
  const insert = () => {
    const node = insertGraph(name, pointerOnCanvas());
    if (node !== undefined) select([node]);
  };
  const count = Object.keys(graph.nodes ?? {}).length;
  const used = uses === 0 ? "not used" : uses === 1 ? "used once" : `used in ${uses} places`;
  return (
    <li>
      <input
        value={text ?? name}
        aria-label={`Name of the graph ${name}`}
        onChange={(event) => setText(event.target.value)}
        onBlur={finish}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
          if (event.key === "Escape") setText(null);
        }}
      />
      <span>
        {count} {count === 1 ? "node" : "nodes"}, {used}
      </span>
      <div>
        <button type="button" disabled={!canInsert} onClick={insert}>
          Insert
        </button>
        <button
          type="button"
          disabled={uses > 0}
          title={uses > 0 ? "It is used" : undefined}
          onClick={() => editDocument("delete the graph", (old) => deleteGraph(old, name))}
        >
          Delete
        </button>
      </div>
    </li>
  );
}
