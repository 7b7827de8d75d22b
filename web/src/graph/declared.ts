// What a workflow or subgraph declares as its own inputs and outputs, as pure functions.
import { type DeclaredInput, type DeclaredOutput, type Graph, place } from "./document";
import { freeName, tidy } from "./edits";
import type { End } from "./wiring";

/** The declared input that goes to a place, with its name. */
export function declaredAt(graph: Graph, { node, port }: End): readonly [string, DeclaredInput] | undefined {
  const at = place(node, port);
  return Object.entries(graph.inputs ?? {}).find(([, each]) => each.to.includes(at));
}

/** Ask for an input of a node whenever the graph is run. */
export function declareInput(graph: Graph, { node, port }: End): Graph {
  if (declaredAt(graph, { node, port })) return graph;
  const name = freeName(graph.inputs ?? {}, (graph.inputs ?? {})[port] ? `${node}_${port}` : port);
  return { ...graph, inputs: { ...graph.inputs, [name]: { to: [place(node, port)] } } };
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

/** Make an output of a node a result of the graph. */
export function declareOutput(graph: Graph, { node, port }: End): Graph {
  if (declaredOutputAt(graph, { node, port })) return graph;
  const name = freeName(graph.outputs ?? {}, (graph.outputs ?? {})[port] ? `${node}_${port}` : port);
  return { ...graph, outputs: { ...graph.outputs, [name]: { from: place(node, port) } } };
}

export function undeclareOutput(graph: Graph, name: string): Graph {
  return { ...graph, outputs: without(graph.outputs, name) };
}

export function undeclareInput(graph: Graph, name: string): Graph {
  return { ...graph, inputs: without(graph.inputs, name) };
}

/** Move a declared input by some places among the others: the order in which they are asked for. */
export function moveInput(graph: Graph, name: string, by: number): Graph {
  const names = Object.keys(graph.inputs ?? {});
  const at = names.indexOf(name);
  const to = Math.min(names.length - 1, Math.max(0, at + by));
  if (at < 0 || to === at) return graph;
  const order = names.toSpliced(at, 1).toSpliced(to, 0, name);
  return { ...graph, inputs: Object.fromEntries(order.map((each) => [each, graph.inputs?.[each] as DeclaredInput])) };
}

/** Why a node may not be called this; null when it may. */
export function nameProblem(graph: Graph, old: string, name: string): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name)) return "a name begins with a letter and has letters, digits, _ and -";
  return name !== old && graph.nodes?.[name] ? "another node is called this" : null;
}

function without<T>(table: Readonly<Record<string, T>> | undefined, name: string): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(table ?? {}).filter(([each]) => each !== name));
}
