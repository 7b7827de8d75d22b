// How the ports of a node are laid out: inputs that only a wire can feed stand beside the outputs, the others have
// rows of their own with their widgets.
import { Position } from "@xyflow/react";
import type { InputDefinition, OutputDefinition } from "../api/types";
import type { Ports } from "../graph/ports";
import { fieldKind, isTall } from "../widgets/kinds";

interface Pair {
  readonly input: InputDefinition | undefined;
  readonly output: OutputDefinition | undefined;
}

export interface Rows {
  readonly pairs: readonly Pair[];
  readonly controls: readonly InputDefinition[];
}

export function rowsOf(ports: Ports): Rows {
  const sockets = ports.inputs.filter((each) => isWireOnly(each));
  const controls = ports.inputs.filter((each) => !isWireOnly(each));
  const count = Math.max(sockets.length, ports.outputs.length);
  const pairs = Array.from({ length: count }, (_, index) => ({ input: sockets[index], output: ports.outputs[index] }));
  return { pairs, controls };
}

function isWireOnly({ type, widget }: InputDefinition): boolean {
  return fieldKind(type, widget) === "none";
}

export const NODE_WIDTH = 260;
export const HEADER = 34;
const ROW = 26;
const CONTROL = 30;
const LINE = 18;
const TALL = 26;
const PADDING = 8;

/** About how high a node will be that was not drawn yet; never a whole number, so that measuring always corrects it. */
export function estimatedHeight(ports: Ports | undefined, isCollapsed: boolean): number {
  if (isCollapsed || !ports) return HEADER + 0.5;
  const { pairs, controls } = rowsOf(ports);
  return HEADER + 2 * PADDING + pairs.length * ROW + controls.reduce((sum, each) => sum + controlHeight(each), 0) + 0.5;
}

function controlHeight(input: InputDefinition): number {
  if (input.widget?.kind === "multiline") return CONTROL + input.widget.rows * LINE + TALL;
  return isTall(input.type, input.widget, undefined) ? CONTROL + TALL : CONTROL;
}

/** About where the sockets of a node will be that was not drawn yet. */
export function estimatedHandles(ports: Ports | undefined, isCollapsed: boolean, nodeWidth: number) {
  if (!ports) return [];
  const { pairs, controls } = rowsOf(ports);
  const socket = { width: 11, height: 11 };
  const source = (id: string, y: number) => ({
    ...socket,
    id,
    type: "source" as const,
    position: Position.Right,
    x: nodeWidth - 5,
    y,
  });
  const target = (id: string, y: number) => ({
    ...socket,
    id,
    type: "target" as const,
    position: Position.Left,
    x: -6,
    y,
  });
  if (isCollapsed) {
    const y = HEADER / 2 - 6;
    return [...ports.outputs.map((each) => source(each.name, y)), ...ports.inputs.map((each) => target(each.name, y))];
  }
  const found: (ReturnType<typeof source> | ReturnType<typeof target>)[] = [];
  pairs.forEach(({ input, output }, index) => {
    const y = HEADER + PADDING + index * ROW + ROW / 2 - 6;
    if (input) found.push(target(input.name, y));
    if (output) found.push(source(output.name, y));
  });
  let y = HEADER + PADDING + pairs.length * ROW;
  for (const input of controls) {
    found.push(target(input.name, y + CONTROL / 2 - 6));
    y += controlHeight(input);
  }
  return found;
}
