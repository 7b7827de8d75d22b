// Painted masks: a picture that is loaded and made a mask. The only place that knows which nodes do that.
import { type Graph, type Source, isWire, literalOf, parsePlace, place, wiresOf } from "./document";
import { addNode, freeName, setInput, setSource } from "./edits";
import type { Definitions } from "./ports";
import type { End } from "./wiring";

const LOAD = { type: "load_image", file: "file", image: "image", mask: "mask" } as const;
const CONVERT = { type: "image_to_mask", image: "image", mask: "mask" } as const;
const SUFFIX = "_mask";

/** Whether the nodes that masks need are installed. */
export function canPaint(definitions: Definitions): boolean {
  return definitions.has(LOAD.type) && definitions.has(CONVERT.type);
}

/** Whether the picture at an input is a mask itself: all that its node gives is made one. */
export function isMask(graph: Graph, { node }: End): boolean {
  const consumers = consumersOf(graph, node);
  return consumers.length > 0 && consumers.every((each) => graph.nodes?.[each.node]?.type === CONVERT.type);
}

/** Where the mask that was painted on a picture stands; undefined where there is none. */
export function maskOf(graph: Graph, { node }: End): End | undefined {
  const end = { node: node + SUFFIX, port: LOAD.file };
  return graph.nodes?.[end.node]?.type === LOAD.type && isMask(graph, end) ? end : undefined;
}

/** The picture over which a mask is painted. */
export function pictureOf(graph: Graph, { node, port }: End): string | undefined {
  const base = node.endsWith(SUFFIX) ? graph.nodes?.[node.slice(0, -SUFFIX.length)] : undefined;
  const found = literalOf(base?.inputs?.[port]);
  return typeof found === "string" ? found : undefined;
}

/**
 * The graph with a painted mask for the picture at an input: in the mask's place where there is one, else with new nodes.
 * What the picture's own transparency fed is then fed by the painted mask.
 */
export function withMask(graph: Graph, picture: End, file: string): Graph {
  const target = isMask(graph, picture) ? picture : maskOf(graph, picture);
  if (target) return setInput(graph, target, file);
  const at = graph.layout?.nodes?.[picture.node] ?? { x: 0, y: 0 };
  const loader = freeName(graph.nodes ?? {}, picture.node + SUFFIX);
  const withLoader = addNode(
    graph,
    loader,
    { type: LOAD.type, inputs: { [LOAD.file]: file, channels: "grey" } },
    {
      x: at.x,
      y: at.y + 360,
    },
  );
  const converter = freeName(withLoader.nodes ?? {}, `${loader}_values`);
  const source = { from: place(loader, LOAD.image) };
  const made = addNode(
    withLoader,
    converter,
    { type: CONVERT.type, inputs: { [CONVERT.image]: source } },
    {
      x: at.x + 290,
      y: at.y + 360,
    },
  );
  if (graph.nodes?.[picture.node]?.type !== LOAD.type) return made;
  const [own, painted] = [place(picture.node, LOAD.mask), place(converter, CONVERT.mask)];
  return consumersOf(graph, picture.node).reduce((changed, end) => {
    const old = changed.nodes?.[end.node]?.inputs?.[end.port];
    const next = old === undefined ? old : rewired(old, own, painted);
    return next === old ? changed : setSource(changed, end, next);
  }, made);
}

function rewired(source: Source, from: string, to: string): Source {
  if (!wiresOf(source).some((each) => each.from === from)) return source;
  if (isWire(source)) return { from: to };
  return (source as readonly Source[]).map((each) =>
    isWire(each) && each.from === from ? { from: to } : each,
  ) as Source;
}

function consumersOf(graph: Graph, node: string): End[] {
  return Object.entries(graph.nodes ?? {}).flatMap(([name, entry]) =>
    Object.entries(entry.inputs ?? {})
      .filter(([, source]) => wiresOf(source).some((wire) => parsePlace(wire.from).node === node))
      .map(([port]) => ({ node: name, port })),
  );
}
