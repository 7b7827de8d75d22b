import { Handle, type NodeProps, Position, useStore, useUpdateNodeInternals } from "@xyflow/react";
import { type CSSProperties, memo, useEffect } from "react";
import { NodeHeader } from "../canvas/NodeHeader";
import { Socket } from "../canvas/Socket";
import { colourOf, tintOf } from "../canvas/colours";
import type { NodeData, RegionNode } from "../canvas/model";
import { nodeTitle } from "../canvas/titles";
import { ANY } from "../graph/portTypes";
import { useTab } from "../store/editor";
import { InputControl } from "../widgets/InputControl";
import { CallTools } from "./CallTools";
import { INPUTS, NEW, OUTPUTS } from "./ends";
import { REGION } from "./regions";
import { innerSocket } from "./wires";
import "./region.css";

/** A node that runs a graph, drawn open: its inputs at the left, its outputs at the right, the graph's nodes between. */
export const RegionView = memo(
  function RegionView({ id, data, selected, width = 0, height = 0 }: NodeProps<RegionNode>) {
    const { entry, name, ports, layout, graph } = data;
    const title = nodeTitle(entry, ports);
    const bottom = useChildrenBottom(id);
    const update = useUpdateNodeInternals();
    useEffect(() => update(id), [update, id, width, height, data]);
    const style = {
      "--tint": tintOf("loop", layout.colour),
      "--left": `${REGION.left - 24}px`,
      "--right": `${REGION.right - 24}px`,
      width,
      height: Math.max(height, bottom + REGION.bottom),
    } as CSSProperties;
    return (
      <section
        className="region"
        data-kind={entry.type}
        data-selected={selected ? "" : undefined}
        style={style}
        aria-label={`${title} (${name}), open`}
      >
        <NodeHeader id={id} data={data} title={title} />
        <CallTools id={id} graph={graph} name={name} entry={entry} isOpen />
        <Inputs id={id} data={data} />
        <Outputs id={id} data={data} />
      </section>
    );
  },
  (a, b) => a.data === b.data && a.selected === b.selected && a.width === b.width && a.height === b.height,
);

/** How far down the nodes of a region reach, as they were measured. */
function useChildrenBottom(id: string): number {
  return useStore((state) => {
    let bottom = 0;
    for (const { parentId, position, measured } of state.parentLookup.get(id)?.values() ?? []) {
      if (parentId === id) bottom = Math.max(bottom, position.y + (measured.height ?? 0));
    }
    return Math.ceil(bottom);
  });
}

function Inputs({ id, data }: { readonly id: string; readonly data: NodeData }) {
  const { entry, ports, graph, name } = data;
  const declared = useTab((tab) => tab.document.graphs?.[entry.graph ?? ""]?.inputs);
  return (
    <div className="region-inputs nodrag">
      {ports?.inputs.map((input) => {
        const isWired = data.wired.includes(input.name);
        return (
          <div key={input.name} className="region-row">
            <Socket
              id={id}
              port={input.name}
              side="input"
              type={input.type}
              isOptional={!input.required}
              isWired={isWired}
            />
            <InputControl
              graph={graph}
              node={name}
              input={input}
              source={entry.inputs?.[input.name]}
              isWired={isWired}
            />
            {declared?.[input.name] && <Inner side={INPUTS} port={input.name} colour={colourOf(input.type)} />}
          </div>
        );
      })}
      {entry.index && declared?.[entry.index] && (
        <div className="region-row">
          <span className="region-index">{entry.index}: number of the round</span>
          <Inner side={INPUTS} port={entry.index} colour="var(--type-number)" />
        </div>
      )}
      <div className="region-row region-new">
        <span>add an input</span>
        <Inner side={INPUTS} port={NEW} colour={colourOf(ANY)} />
      </div>
    </div>
  );
}

function Outputs({ id, data: { ports } }: { readonly id: string; readonly data: NodeData }) {
  return (
    <div className="region-outputs nodrag">
      {ports?.outputs.map((output) => (
        <div key={output.name} className="region-row">
          <Inner side={OUTPUTS} port={output.name} colour={colourOf(output.type)} />
          <span>{output.name}</span>
          <Socket id={id} port={output.name} side="output" type={output.type} />
        </div>
      ))}
      <div className="region-row region-new">
        <Inner side={OUTPUTS} port={NEW} colour={colourOf(ANY)} />
        <span>add an output</span>
      </div>
    </div>
  );
}

interface InnerProps {
  readonly side: typeof INPUTS | typeof OUTPUTS;
  readonly port: string;
  readonly colour: string;
}

/** The side of an input or output that looks into the region. */
function Inner({ side, port, colour }: InnerProps) {
  const isInput = side === INPUTS;
  return (
    <Handle
      type={isInput ? "source" : "target"}
      position={isInput ? Position.Right : Position.Left}
      id={innerSocket(side, port)}
      className="socket region-inner"
      data-hollow={port === NEW ? "" : undefined}
      style={{ "--socket": colour } as CSSProperties}
      aria-label={port === NEW ? (isInput ? "new input" : "new output") : `${port} inside`}
    />
  );
}
