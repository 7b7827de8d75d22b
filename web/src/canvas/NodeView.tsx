import { Handle, type NodeProps, Position } from "@xyflow/react";
import { memo } from "react";
import type { InputDefinition, OutputDefinition } from "../api/types";
import { labelOf } from "../graph/labels";
import { describe } from "../graph/portTypes";
import { CALLS } from "../graph/ports";
import { NodePictures } from "../results/NodePictures";
import { NodeStatus } from "../running/NodeStatus";
import { InputControl } from "../widgets/InputControl";
import { colourOf } from "./colours";
import type { CanvasNode, NodeData } from "./model";

/** A node on the canvas: its title and state, a row for each input and output, and what it made. */
export const NodeView = memo(function NodeView({ data, selected }: NodeProps<CanvasNode>) {
  const { entry, name, ports, layout } = data;
  const title = entry.title || (ports && CALLS.has(entry.type) ? ports.title : labelOf(entry.type));
  return (
    <section
      className={`node${selected ? " node-selected" : ""}${entry.mode ? ` node-${entry.mode}` : ""}`}
      data-colour={layout.colour}
      aria-label={`${title} (${name})`}
    >
      <header className="node-header" title={ports?.doc}>
        <span className="node-title">{title}</span>
        <NodeStatus graph={data.graph} name={name} />
      </header>
      {!ports && <p className="node-unknown">no installed pack has {entry.type}</p>}
      {!layout.collapsed && ports && (
        <div className="node-rows">
          {ports.outputs.map((output) => (
            <OutputRow key={output.name} output={output} />
          ))}
          {ports.inputs.map((input) => (
            <InputRow key={input.name} input={input} data={data} />
          ))}
        </div>
      )}
      <NodePictures graph={data.graph} name={name} />
    </section>
  );
});

function OutputRow({ output }: { readonly output: OutputDefinition }) {
  return (
    <div className="node-row node-output">
      <span title={output.doc}>{output.name}</span>
      <Handle
        type="source"
        position={Position.Right}
        id={output.name}
        style={{ background: colourOf(output.type) }}
        aria-label={`output ${output.name}: ${describe(output.type)}`}
      />
    </div>
  );
}

function InputRow({ input, data }: { readonly input: InputDefinition; readonly data: NodeData }) {
  const isWired = data.wired.includes(input.name);
  return (
    <div className="node-row node-input">
      <Handle
        type="target"
        position={Position.Left}
        id={input.name}
        style={{ background: colourOf(input.type) }}
        aria-label={`input ${input.name}: ${describe(input.type)}`}
      />
      <InputControl
        graph={data.graph}
        node={data.name}
        input={input}
        source={data.entry.inputs?.[input.name]}
        isWired={isWired}
      />
    </div>
  );
}
