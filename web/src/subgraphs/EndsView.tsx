import type { NodeProps } from "@xyflow/react";
import { memo } from "react";
import { Socket } from "../canvas/Socket";
import type { GraphName } from "../graph/document";
import { ANY, describe } from "../graph/portTypes";
import { type DeclaredPort, INPUTS, NEW } from "./ends";
import type { EndsNode } from "./endsModel";
import { PortName } from "./PortName";
import "./ends.css";

/** The declared inputs or outputs of the shown graph, as a node to draw wires from or to. */
export const EndsView = memo(
  function EndsView({ id, data: { graph, name, declared }, selected }: NodeProps<EndsNode>) {
    const isInputs = name === INPUTS;
    const side = isInputs ? "output" : "input";
    return (
      <section
        className="ends"
        data-side={side}
        data-selected={selected ? "" : undefined}
        aria-label={isInputs ? "Inputs" : "Outputs"}
      >
        <header className="ends-header">{isInputs ? "Inputs" : "Outputs"}</header>
        {declared.map((port) => (
          <PortRow key={port.name} id={id} graph={graph} side={side} port={port} />
        ))}
        <div className="ends-row ends-new">
          <span>{isInputs ? "wire from here to add" : "wire to here to add"}</span>
          <Socket id={id} port={NEW} side={side} type={ANY} isOptional />
        </div>
      </section>
    );
  },
  (a, b) => a.data === b.data && a.selected === b.selected,
);

interface RowProps {
  readonly id: string;
  readonly graph: GraphName;
  readonly side: "input" | "output";
  readonly port: DeclaredPort;
}

function PortRow({ id, graph, side, port }: RowProps) {
  return (
    <div className="ends-row" title={describe(port.type)}>
      <PortName graph={graph} side={side === "output" ? "inputs" : "outputs"} name={port.name} />
      <Socket id={id} port={port.name} side={side} type={port.type} isWired />
    </div>
  );
}
