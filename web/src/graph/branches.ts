// Lazy inputs: which nodes are computed only when such an input is asked for.
import type { InputDefinition } from "../api/types";
import { type Document, type GraphName, graphOf, parsePlace } from "./document";
import { type Definitions, portsOf } from "./ports";
import { type Link, linksOf } from "./wiring";

/** The nodes that only one lazy input needs. */
export interface Branch {
  readonly id: string;
  /** The wire into the lazy input. */
  readonly link: Link;
  readonly nodes: ReadonlySet<string>;
  readonly label: string;
}

export function branchesOf(document: Document, name: GraphName, definitions: Definitions): Branch[] {
  const graph = graphOf(document, name);
  const links = linksOf(graph);
  const ports = new Map(
    Object.entries(graph.nodes ?? {}).map(([node, entry]) => [node, portsOf(document, entry, definitions)]),
  );
  const [incoming, outgoing] = [new Map<string, Link[]>(), new Map<string, Link[]>()];
  for (const link of links) {
    incoming.set(link.to.node, [...(incoming.get(link.to.node) ?? []), link]);
    outgoing.set(link.from.node, [...(outgoing.get(link.from.node) ?? []), link]);
  }
  const wanted = new Set(Object.values(graph.outputs ?? {}).map((each) => parsePlace(each.from).node));
  for (const [node, each] of ports) if (each?.effect) wanted.add(node);
  return links.flatMap((link) => {
    const inputs = ports.get(link.to.node)?.inputs ?? [];
    const input = inputs.find((each) => each.name === link.to.port);
    if (!input?.lazy) return [];
    const nodes = neededOnlyBy(link, incoming, outgoing, wanted);
    const id = `${link.to.node}.${link.to.port}#${link.index}`;
    return nodes.size > 0 ? [{ id, link, nodes, label: labelOf(input, inputs, link.index) }] : [];
  });
}

type Links = ReadonlyMap<string, readonly Link[]>;

function neededOnlyBy(link: Link, incoming: Links, outgoing: Links, wanted: ReadonlySet<string>): Set<string> {
  const found = new Set([link.from.node]);
  for (const node of found) incoming.get(node)?.forEach((each) => found.add(each.from.node));
  const isElsewhere = (each: Link) =>
    each.to.node === link.to.node
      ? each.to.port !== link.to.port || each.index !== link.index
      : !found.has(each.to.node);
  let hasChanged = true;
  while (hasChanged) {
    hasChanged = false;
    for (const node of found) {
      if (!wanted.has(node) && !outgoing.get(node)?.some(isElsewhere)) continue;
      found.delete(node);
      hasChanged = true;
    }
  }
  return found;
}

/** When the branch is computed, such as "only when condition is true". */
function labelOf(input: InputDefinition, inputs: readonly InputDefinition[], index: number): string {
  if (input.lazy === "items") return `only when item ${index} is taken`;
  const answer = /(?:^|_)(true|false)$/.exec(input.name)?.[1];
  const questions = inputs.filter((each) => each.type.kind === "bool");
  if (answer && questions.length === 1) return `only when ${questions[0]?.name} is ${answer}`;
  return `only when ${input.name.replaceAll("_", " ")} is needed`;
}
