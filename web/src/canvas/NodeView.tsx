import type { NodeProps } from "@xyflow/react";
import { type CSSProperties, memo } from "react";
import type { InputDefinition } from "../api/types";
import { NodePictures } from "../results/NodePictures";
import { InputMark } from "../running/InputMark";
import { CallTools } from "../subgraphs/CallTools";
import { InputControl } from "../widgets/InputControl";
import { shownName } from "../widgets/field";
import { FarNode } from "./FarNode";
import { NodeHeader } from "./NodeHeader";
import { Socket } from "./Socket";
import { WidthHandle } from "./WidthHandle";
import { tintOf } from "./colours";
import type { CanvasNode, NodeData } from "./model";
import { rowsOf } from "./rows";
import { useCanvas } from "./state";
import { nodeTitle } from "./titles";
import "./node.css";

type Props = NodeProps<CanvasNode>;

/** A node on the canvas: its title and state, a row for each input and output, and what it made. */
export const NodeView = memo(
  function NodeView({ id, data, selected }: Props) {
    const isFar = useCanvas((state) => state.far);
    const { entry, name, ports, layout } = data;
    const title = nodeTitle(entry, ports);
    return (
      <section
        className={isFar ? "node node-is-far" : "node"}
        data-selected={selected ? "" : undefined}
        data-mode={entry.mode}
        data-unknown={ports ? undefined : ""}
        style={{ "--tint": tintOf(ports?.category ?? "", layout.colour) } as CSSProperties}
        aria-label={`${title} (${name})`}
      >
        {isFar ? (
          <FarNode id={id} data={data} title={title} />
        ) : (
          <>
            <NodeHeader id={id} data={data} title={title} />
            {!layout.collapsed && <CallTools id={id} graph={data.graph} name={name} entry={entry} isOpen={false} />}
            {!layout.collapsed && <NodeBody id={id} data={data} />}
            {!layout.collapsed && <NodePictures id={id} data={data} />}
            <WidthHandle data={data} />
          </>
        )}
      </section>
    );
  },
  (a, b) => a.data === b.data && a.selected === b.selected && a.id === b.id,
);

function NodeBody({ id, data }: { readonly id: string; readonly data: NodeData }) {
  const { ports, entry } = data;
  if (!ports) return <p className="node-unknown">No installed pack has {entry.graph ?? entry.type}.</p>;
  const { pairs, controls } = rowsOf(ports);
  return (
    <div className="node-body">
      {pairs.map(({ input, output }) => (
        <div key={`${input?.name} ${output?.name}`} className="node-row">
          {input ? <Input id={id} input={input} data={data} /> : <span />}
          {output && (
            <>
              <span className="node-output">{shownName(output.name)}</span>
              <Socket id={id} port={output.name} side="output" type={output.type} />
            </>
          )}
        </div>
      ))}
      {controls.map((input) => (
        <div key={input.name} className="node-row node-control nodrag">
          <Input id={id} input={input} data={data} />
        </div>
      ))}
    </div>
  );
}

interface InputProps {
  readonly id: string;
  readonly input: InputDefinition;
  readonly data: NodeData;
}

function Input({ id, input, data }: InputProps) {
  const own = data.entry.inputs?.[input.name];
  const fed = data.fed[input.name];
  const isFed = fed !== undefined && own === undefined && input.required;
  const isWired = isFed || data.wired.includes(input.name);
  return (
    <>
      <Socket
        id={id}
        port={input.name}
        side="input"
        type={input.type}
        isOptional={!input.required}
        isLazy={input.lazy !== ""}
        isWired={isWired}
      />
      <InputMark graph={data.graph} node={data.name} input={input.name} />
      <InputControl
        graph={data.graph}
        node={data.name}
        input={input}
        source={isFed ? { from: fed } : own}
        isWired={isWired}
      />
    </>
  );
}
