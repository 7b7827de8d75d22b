// The declared inputs and outputs of a graph as they are drawn inside it: two nodes that no document holds.
import { type Document, type GraphName, graphOf, parsePlace } from "../graph/document";
import { type Definitions, portsOf } from "../graph/ports";
import type { InputDefinition, PortType } from "../api/types";
import { ANY } from "../graph/portTypes";
import { outputType } from "../graph/wiring";

export const INPUTS = "@inputs";
export const OUTPUTS = "@outputs";
/** The socket that a wire is drawn from or to for one more declared input or output. */
export const NEW = "@new";

/** A declared input or output with its type. */
export interface DeclaredPort {
  readonly name: string;
  readonly title: string;
  readonly type: PortType;
  /** The input that decides its type, for inputs. */
  readonly input?: InputDefinition;
}

export function declaredPorts(
  document: Document,
  graph: GraphName,
  side: typeof INPUTS | typeof OUTPUTS,
  definitions: Definitions,
): DeclaredPort[] {
  const { nodes = {}, inputs = {}, outputs = {} } = graphOf(document, graph);
  if (side === OUTPUTS) {
    return Object.entries(outputs).map(([name, { from, title = "" }]) => {
      return { name, title, type: outputType(document, graph, parsePlace(from), definitions) };
    });
  }
  return Object.entries(inputs).map(([name, { to, title = "" }]) => {
    const { node, port } = parsePlace(to[0] ?? "");
    const entry = nodes[node];
    const input = entry && portsOf(document, entry, definitions)?.inputs.find((each) => each.name === port);
    return { name, title, type: input?.type ?? ANY, ...(input && { input }) };
  });
}
