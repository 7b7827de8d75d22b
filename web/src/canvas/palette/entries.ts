// What the palette offers, and how it is found.
import fuzzysort from "fuzzysort";
import type { PortType } from "../../api/types";
import type { Point } from "../../graph/document";
import { addNode, freeName } from "../../graph/edits";
import { type Start, fittingPlaces, fittingPort } from "../../graph/fitting";
import { labelOf } from "../../graph/labels";
import type { Definitions, Ports } from "../../graph/ports";
import { graphOf, parsePlace } from "../../graph/document";
import { activeTab, edit, shownGraph } from "../../store/editor";
import { drawWire, joined, ownerOf } from "../connecting";
import { nodeTitle } from "../titles";

/** Something that can be added to a graph. */
export interface PaletteEntry {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly doc: string;
  /** What it can be wired by; without them it is not offered for a wire. */
  readonly ports?: Ports;
  /** Adds it at that point of the canvas; the name of the node that stands for it, if there is one. */
  readonly create: (at: Point) => string | undefined;
}

export function nodeEntries(definitions: Definitions): PaletteEntry[] {
  return [...definitions.values()].map((definition) => ({
    id: definition.id,
    title: labelOf(definition.id),
    category: definition.category,
    doc: definition.doc ? `${definition.title}.\n\n${definition.doc}` : `${definition.title}.`,
    ports: definition,
    create: (at) => {
      const tab = activeTab();
      const name = freeName(graphOf(tab.document, shownGraph(tab)).nodes ?? {}, definition.id);
      edit("add node", (graph) => addNode(graph, name, { type: definition.id, version: definition.version }, at));
      return name;
    },
  }));
}

/** The sockets of the graph at which a wire may end. */
export function socketEntries(start: Start, definitions: Definitions): PaletteEntry[] {
  const { graph, name } = ownerOf(start.node);
  const { document } = activeTab();
  const prefix = start.node.slice(0, start.node.length - name.length);
  const nodes = graphOf(document, graph).nodes ?? {};
  return [...fittingPlaces(document, graph, { ...start, node: name }, definitions)].flatMap((each) => {
    const { node, port } = parsePlace(each);
    const entry = nodes[node];
    if (!entry) return [];
    return {
      id: `socket ${each}`,
      title: `${nodeTitle(entry, definitions.get(entry.type))}: ${port}`,
      category: node,
      doc: `The ${start.side === "output" ? "input" : "output"} ${port} of ${node}, which is there already.`,
      create: () => {
        drawWire(joined(start, { node: prefix + node, port }));
        return undefined;
      },
    };
  });
}

export function fittingEntries(entries: readonly PaletteEntry[], start: Start, type: PortType): PaletteEntry[] {
  return entries.filter(({ ports }) => ports && fittingPort(ports, start, type) !== undefined);
}

/** The entries that a text means, the best first; with an empty one all, what was used last first. */
export function search(entries: readonly PaletteEntry[], text: string, recent: readonly string[]): PaletteEntry[] {
  const rank = new Map(recent.map((id, index) => [id, recent.length - index]));
  const bonus = ({ id }: PaletteEntry) => rank.get(id) ?? 0;
  if (text.trim() === "") {
    return [...entries].sort((a, b) => bonus(b) - bonus(a) || a.category.localeCompare(b.category));
  }
  const found = fuzzysort.go(text.trim(), entries, {
    keys: [(each) => each.title, (each) => each.id, (each) => each.category, (each) => each.doc.slice(0, 300)],
    threshold: 0.2,
    limit: 60,
    scoreFn: (result) => {
      const [title, id, category, doc] = [0, 1, 2, 3].map((index) => result[index]?.score ?? 0);
      const best = Math.max(title ?? 0, (id ?? 0) * 0.95, (category ?? 0) * 0.7, (doc ?? 0) * 0.5);
      return best + Math.min(bonus(result.obj), 8) * 0.005;
    },
  });
  return found.map((each) => each.obj);
}
