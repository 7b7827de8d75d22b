// Taking away nodes and wires by their ids on the canvas, also those in regions and those of declared ports.
import { type Document, type Graph, type GraphName, parsePlace } from "../graph/document";
import { disconnect, removeNodes, undeclare } from "../graph/edits";
import { changeGraph, removePort } from "../graph/interface";
import { INPUTS, OUTPUTS } from "./ends";
import { locate, regionOf, within } from "./paths";

/** The document without these nodes and wires; a wire's id is `node.input#index`, "in" for one of a declared input. */
export function removeThings(
  document: Document,
  shown: GraphName,
  nodes: ReadonlySet<string>,
  wires: ReadonlySet<string>,
): Document {
  const ids = [...nodes, ...wires].filter((id) => ![...nodes].some((node) => id.startsWith(`${node}/`)));
  const regions = new Set(ids.map(regionOf));
  return [...regions].reduce((left, region) => {
    const graph = locate(left, shown, within(region, ""))?.graph;
    if (graph === undefined) return left;
    const own = (all: ReadonlySet<string>) =>
      [...all].filter((id) => regionOf(id) === region).map((id) => (region ? id.slice(region.length + 1) : id));
    return changeGraph(left, graph, (each) => withoutThings(each, own(nodes), own(wires)));
  }, document);
}

function withoutThings(graph: Graph, nodes: readonly string[], wires: readonly string[]): Graph {
  const gone = new Set(nodes);
  const ends = wires.map((id) => {
    const at = id.lastIndexOf("#");
    return { to: parsePlace(id.slice(0, at)), index: id.slice(at + 1) };
  });
  let left = graph;
  for (const { to, index } of [...ends].sort((a, b) => Number(b.index) - Number(a.index))) {
    if (gone.has(to.node)) continue;
    if (to.node === OUTPUTS) left = removePort(left, "outputs", to.port);
    else if (index === "in") left = undeclare(left, to);
    else left = disconnect(left, to, Number(index));
  }
  gone.delete(INPUTS);
  gone.delete(OUTPUTS);
  return gone.size > 0 ? removeNodes(left, gone) : left;
}
