// Seeds that change from run to run: how, the layout says for each of them.
import { type Document, type Graph, type SeedMode, isWire, literalOf, parsePlace, place } from "./document";
import { changeNode, tidy, withLayout } from "./edits";
import type { Definitions } from "./ports";
import type { End } from "./wiring";

/** The largest seed that nodes take, 2**53 - 1. */
export const MAX_SEED = Number.MAX_SAFE_INTEGER;

/** Which seeds were run already, by the graph's name and "node.input". */
export type UsedSeeds = (graph: string, at: string, seed: number) => boolean;

/**
 * The document to run next, and to go on with: seeds that are random are drawn anew, those that count up are one more
 * unless `used` says that the one that stands there was not run yet. What a run used is what the document shows.
 */
export function nextSeeds(document: Document, used: UsedSeeds = () => true, draw: () => number = drawSeed): Document {
  const next = <G extends Graph>(graph: G, name: string): G => {
    let changed = graph;
    for (const [at, mode] of Object.entries(graph.layout?.seeds ?? {})) {
      const { node, port } = parsePlace(at);
      const source = graph.nodes?.[node]?.inputs?.[port];
      if (mode === "fixed" || !graph.nodes?.[node] || isWire(source)) continue;
      const old = Number(literalOf(source) ?? 0);
      if (mode === "increment" && !used(name, at, old)) continue;
      const seed = mode === "random" ? draw() : old >= MAX_SEED ? 0 : old + 1;
      changed = changeNode(changed, node, (entry) => ({ ...entry, inputs: { ...entry.inputs, [port]: seed } })) as G;
    }
    return changed;
  };
  const graphs = Object.entries(document.graphs ?? {}).map(([name, graph]) => [name, next(graph, name)] as const);
  const isSame = graphs.every(([name, graph]) => graph === document.graphs?.[name]);
  const changed = next(document, "");
  return isSame ? changed : { ...changed, graphs: Object.fromEntries(graphs) };
}

/** The seeds that a run of the document uses. */
export function seedsOf(document: Document, definitions: Definitions): { graph: string; at: string; seed: number }[] {
  const graphs: [string, Graph][] = [["", document], ...Object.entries(document.graphs ?? {})];
  return graphs.flatMap(([graph, { nodes }]) =>
    Object.entries(nodes ?? {}).flatMap(([node, entry]) =>
      (definitions.get(entry.type)?.inputs ?? []).flatMap((input) => {
        const source = entry.inputs?.[input.name];
        const seed = isWire(source) ? null : (literalOf(source) ?? input.default);
        const isSeed = input.widget?.kind === "seed" && typeof seed === "number";
        return isSeed ? [{ graph, at: place(node, input.name), seed }] : [];
      }),
    ),
  );
}

export function setSeedMode(graph: Graph, { node, port }: End, mode: SeedMode): Graph {
  const seeds = { ...graph.layout?.seeds, [place(node, port)]: mode === "fixed" ? undefined : mode };
  return withLayout(graph, { seeds: tidy<Record<string, SeedMode>>(seeds) });
}

/** A seed that people can still read: below 2**32. */
export function drawSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
