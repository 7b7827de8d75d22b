// Seeds that change from run to run.
import { type Document, type Graph, literalOf, parsePlace } from "../graph/document";
import { setInput } from "../graph/edits";

const LARGEST = 2 ** 32;

/** The document with the next seeds, in all its graphs: drawn anew where they are random, one more where they count. */
export function withNextSeeds(document: Document, random: () => number = Math.random): Document {
  const next = (graph: Graph): Graph =>
    Object.entries(graph.layout?.seeds ?? {}).reduce((done, [at, mode]) => {
      const end = parsePlace(at);
      const value = literalOf(graph.nodes?.[end.node]?.inputs?.[end.port]) ?? 0;
      if (mode === "fixed" || typeof value !== "number") return done;
      return setInput(done, end, mode === "random" ? Math.floor(random() * LARGEST) : value + 1);
    }, graph);
  const graphs = Object.entries(document.graphs ?? {}).map(([name, graph]) => [name, next(graph)] as const);
  const whole = { ...document, ...next(document) };
  return graphs.length > 0 ? { ...whole, graphs: Object.fromEntries(graphs) } : whole;
}

/** Whether runs of a document differ from one to the next. */
export function changesSeeds(document: Document): boolean {
  const graphs = [document, ...Object.values(document.graphs ?? {})];
  return graphs.some((graph) => Object.values(graph.layout?.seeds ?? {}).some((mode) => mode !== "fixed"));
}
