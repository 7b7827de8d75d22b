import { Handle, Position } from "@xyflow/react";
import { type CSSProperties, memo } from "react";
import type { PortType } from "../api/types";
import { place } from "../graph/document";
import { describe } from "../graph/portTypes";
import { colourOf } from "./colours";
import { useDrag } from "./state";

interface Props {
  /** The node's id on the canvas. */
  readonly id: string;
  readonly port: string;
  readonly side: "input" | "output";
  readonly type: PortType;
  readonly isOptional?: boolean;
  readonly isLazy?: boolean;
  readonly isWired?: boolean;
}

/** Where wires begin or end: its colour is the type; lists are square, lazy inputs diamonds, optional ones hollow. */
export const Socket = memo(function Socket({ id, port, side, type, isOptional, isLazy, isWired }: Props) {
  const at = place(id, port);
  const fits = useDrag(({ start, fits }) => start !== null && start.side !== side && fits.has(at));
  const isStart = useDrag(({ start }) => start?.node === id && start.port === port && start.side === side);
  return (
    <Handle
      type={side === "input" ? "target" : "source"}
      position={side === "input" ? Position.Left : Position.Right}
      id={port}
      className={`socket socket-${isLazy ? "lazy" : shapeOf(type)}`}
      style={{ "--socket": colourOf(type) } as CSSProperties}
      data-hollow={isOptional && !isWired ? "" : undefined}
      data-fits={fits || isStart ? "" : undefined}
      tabIndex={-1}
      role="button"
      aria-label={`${side} ${port}: ${describe(type)}`}
    />
  );
});

function shapeOf(type: PortType): "one" | "list" {
  if (type.kind === "union") return type.members.every((each) => shapeOf(each) === "list") ? "list" : "one";
  return type.kind === "list" || type.kind === "map" ? "list" : "one";
}
