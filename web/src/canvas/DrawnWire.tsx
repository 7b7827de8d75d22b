import type { ConnectionLineComponentProps } from "@xyflow/react";
import { typeAt } from "../graph/fitting";
import { useDefinitions } from "../store/definitions";
import { activeTab } from "../store/editor";
import { colourOf } from "./colours";
import { ownerOf } from "./connecting";
import { useDrag } from "./state";
import { wirePath } from "./wirePath";

/** The wire that is being drawn. */
export function DrawnWire({ fromX, fromY, toX, toY, connectionStatus }: ConnectionLineComponentProps) {
  const colour = useDrag(({ start }) => {
    if (!start) return undefined;
    const { graph, name } = ownerOf(start.node);
    return colourOf(typeAt(activeTab().document, graph, { ...start, node: name }, useDefinitions.getState().byId));
  });
  const side = useDrag(({ start }) => start?.side);
  const [a, b] = [
    { x: fromX, y: fromY },
    { x: toX, y: toY },
  ];
  const path = side === "input" ? wirePath(b, a) : wirePath(a, b);
  return <path className={`drawn-wire drawn-wire-${connectionStatus}`} d={path} style={{ stroke: colour }} />;
}
