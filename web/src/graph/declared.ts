// What a workflow or subgraph declares as its own inputs and outputs, as pure functions.
import { type DeclaredInput, type DeclaredOutput, type Graph, place } from "./document";
import { tidy } from "./edits";
import type { End } from "./wiring";

/** The declared input that goes to a place, with its name. */
export function declaredAt(graph: Graph, { node, port }: End): readonly [string, DeclaredInput] | undefined {
  const at = place(node, port);
  return Object.entries(graph.inputs ?? {}).find(([, each]) => each.to.includes(at));
}

/** What a new declared input or output is called: as its port, or with its node before that where the name is taken. */
export function nameFor(taken: object = {}, { node, port }: End): string {
  return port in taken ? `${node}_${port}` : port;
}

/** Change the title or help of a declared input; empty texts are left out. */
export function describeInput(graph: Graph, name: string, texts: { title?: string; help?: string }): Graph {
  const old = graph.inputs?.[name];
  if (!old) return graph;
  const changed = tidy<DeclaredInput>({
    ...old,
    title: (texts.title ?? old.title) || undefined,
    help: (texts.help ?? old.help) || undefined,
  });
  return { ...graph, inputs: { ...graph.inputs, [name]: changed } };
}

export function declaredOutputAt(graph: Graph, { node, port }: End): readonly [string, DeclaredOutput] | undefined {
  const at = place(node, port);
  return Object.entries(graph.outputs ?? {}).find(([, each]) => each.from === at);
}

/** Why a node may not be called this; null when it may. */
export function nameProblem(graph: Graph, old: string, name: string): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name)) return "a name begins with a letter and has letters, digits, _ and -";
  return name !== old && graph.nodes?.[name] ? "another node is called this" : null;
}
