// A node that runs a graph, and that graph, while nodes cross the border between them: what flows over the border goes
// through declared inputs and outputs, which come and go with it.
import {
  type DeclaredInput,
  type DeclaredOutput,
  type Document,
  type Graph,
  type GraphName,
  type Layout,
  type NodeEntry,
  type Point,
  type Source,
  graphOf,
  isWire,
  parsePlace,
  place,
  wiresOf,
} from "./document";
import { freeName, tidy, withLayout } from "./edits";

/** The node that hands on what it gets, for what a declared input cannot reach: one item of a list. */
const PASS = { type: "value", input: "value", output: "result" } as const;

/** Inputs that `repeat` has itself. */
const OWN = { times: true, limit: true } as const;

interface Draft {
  readonly graph: Graph;
  nodes: Record<string, NodeEntry>;
  inputs: Record<string, DeclaredInput>;
  outputs: Record<string, DeclaredOutput>;
}

/** Where a wire comes from in the other graph's names; undefined where it comes from beyond the border. */
type Inside = (from: string) => string | undefined;

export class Border {
  readonly outer: Draft;
  readonly inner: Draft;
  readonly #passes = new Map<string, string>();
  readonly #takers = new Map<string, string>();

  constructor(
    readonly document: Document,
    readonly outerName: GraphName,
    readonly call: string,
  ) {
    const outer = graphOf(document, outerName);
    this.outer = drafted(outer);
    this.inner = drafted(graphOf(document, outer.nodes?.[call]?.graph ?? ""));
  }

  get entry(): NodeEntry {
    return this.outer.nodes[this.call] as NodeEntry;
  }

  /** The declared input that goes to each place inside. */
  fedBy(): Map<string, string> {
    return new Map(Object.entries(this.inner.inputs).flatMap(([name, { to }]) => to.map((each) => [each, name])));
  }

  /** Let what stands outside flow to a place inside; one declared input for one source. */
  feed(to: string, source: Source): void {
    const { inputs = {} } = this.entry;
    const text = JSON.stringify(source);
    const known = Object.keys(this.inner.inputs).find(
      (each) => !this.varies(each) && wiresOf(inputs[each]).length > 0 && JSON.stringify(inputs[each]) === text,
    );
    const name = this.declare(known, to);
    this.setEntry({ inputs: { ...inputs, [name]: source } });
  }

  /** Let a declared input, or a new one, go to a place inside as well; its name. */
  declare(known: string | undefined, to: string, wanted = parsePlace(to).port): string {
    const taken = this.entry.type === "repeat" ? { ...this.inner.inputs, ...OWN } : this.inner.inputs;
    const name = known ?? freeName(taken, wanted);
    const old = this.inner.inputs[name];
    this.inner.inputs[name] = old ? { ...old, to: [...old.to, to] } : { to: [to] };
    return name;
  }

  /** The output of the node, outside, that gives what an output inside gives. */
  give(from: string): string {
    const known = Object.entries(this.inner.outputs).find(
      ([name, each]) => each.from === from && !this.entry.collect?.includes(name),
    );
    const name = known?.[0] ?? freeName(this.inner.outputs, parsePlace(from).port);
    if (!known) this.inner.outputs[name] = { from };
    return place(this.call, name);
  }

  /** What a place inside then holds: its source written with wires of the inside, what comes from outside is fed. */
  takeIn(to: string, source: Source, inside: Inside, outside: (from: string) => string = (from) => from) {
    const placed = mapWires(source, (from) => inside(from) ?? outside(from));
    const isOutside = (from: string) => inside(from) === undefined;
    const wires = wiresOf(source);
    if (!wires.some((each) => isOutside(each.from))) return placed;
    if (isWire(source) || wires.every((each) => isOutside(each.from))) {
      this.feed(to, placed);
      return undefined;
    }
    return mapWires(source, (from) => inside(from) ?? this.#pass(outside(from), parsePlace(to).node));
  }

  #pass(from: string, taker: string): string {
    let name = this.#passes.get(from);
    if (name === undefined) {
      name = freeName(this.inner.nodes, parsePlace(from).port);
      this.inner.nodes[name] = { type: PASS.type };
      this.#passes.set(from, name);
      this.#takers.set(name, taker);
      this.feed(place(name, PASS.input), { from });
    }
    return place(name, PASS.output);
  }

  /** Whether an input is another one in every round. */
  varies(input: string): boolean {
    const { each = [], carry = [], index } = this.entry;
    return each.includes(input) || carry.includes(input) || index === input;
  }

  /** Take away a declared input that goes nowhere any more. */
  removeInput(name: string): void {
    this.inner.inputs = omitted(this.inner.inputs, name);
    const inputs = this.entry.inputs && omitted(this.entry.inputs, name);
    const { each, carry, index } = this.entry;
    const isKept = (other: string) => other !== name;
    const kept = { each: each?.filter(isKept), carry: carry?.filter(isKept) };
    this.setEntry({ inputs, ...kept, index: index === name ? undefined : index });
    const at = place(this.call, name);
    this.outer.inputs = changed(this.outer.inputs, ({ to, ...more }) => {
      const left = to.filter((other) => other !== at);
      return left.length > 0 ? { ...more, to: left } : undefined;
    });
  }

  removeOutput(name: string): void {
    this.inner.outputs = omitted(this.inner.outputs, name);
    const { carry, collect, until } = this.entry;
    const isKept = (other: string) => other !== name;
    const kept = { carry: carry?.filter(isKept), collect: collect?.filter(isKept) };
    this.setEntry({ ...kept, until: until === name ? undefined : until });
  }

  setEntry(change: { [K in keyof NodeEntry]?: NodeEntry[K] | undefined }): void {
    this.outer.nodes[this.call] = tidy<NodeEntry>({ ...this.entry, ...change });
  }

  /** The nodes that hand on what comes from outside lie left of those that take it. */
  #withPasses(layout: Layout): Layout {
    const nodes = { ...layout.nodes };
    for (const [name, taker] of this.#takers) {
      const { x, y } = nodes[taker] ?? { x: 0, y: 0 };
      nodes[name] = { x: x - 300, y: y + 120 };
    }
    return { ...layout, nodes };
  }

  /** The document with both graphs as they are now, and these layouts. */
  done(outer: Layout, inner: Layout): Document {
    const graph = this.entry.graph ?? "";
    const graphs = { ...this.document.graphs, [graph]: finished(this.inner, this.#withPasses(inner)) };
    const made = finished(this.outer, outer);
    if (this.outerName === "") return { ...made, format: this.document.format, graphs };
    return { ...this.document, graphs: { ...graphs, [this.outerName]: made } };
  }
}

/**
 * The nodes inside that only hand on what comes from outside, as items of lists of nodes among `names`: by name, what
 * they hand on. They are not needed when those nodes lie outside.
 */
export function passesOf(border: Border, names: ReadonlySet<string>): Map<string, string> {
  const fedBy = border.fedBy();
  const found = new Map<string, string>();
  for (const [name, { type, title, mode }] of Object.entries(border.inner.nodes)) {
    const declared = fedBy.get(place(name, PASS.input));
    const given = border.entry.inputs?.[declared ?? ""];
    const isPlain = type === PASS.type && !title && !mode;
    if (isPlain && declared !== undefined && !border.varies(declared) && isWire(given)) found.set(name, given.from);
  }
  const used = new Set<string>();
  for (const [name, entry] of Object.entries(border.inner.nodes)) {
    for (const source of Object.values(entry.inputs ?? {})) {
      const counts = names.has(name) && Array.isArray(source);
      for (const wire of wiresOf(source)) {
        const { node } = parsePlace(wire.from);
        if (counts) used.add(node);
        else found.delete(node);
      }
    }
  }
  for (const { from } of Object.values(border.inner.outputs)) found.delete(parsePlace(from).node);
  return new Map([...found].filter(([name]) => used.has(name)));
}

export function mapWires(source: Source, change: (from: string) => string): Source {
  if (isWire(source)) return { from: change(source.from) };
  if (!Array.isArray(source)) return source;
  return (source as readonly Source[]).map((each) => (isWire(each) ? { from: change(each.from) } : each)) as Source;
}

/** The nodes with every wire changed. */
export function rewired(nodes: Readonly<Record<string, NodeEntry>>, change: (from: string) => string) {
  return changed(nodes, (entry) => withInputs(entry, (source) => mapWires(source, change)));
}

export function withInput(entry: NodeEntry, port: string, source: Source | undefined): NodeEntry {
  const rest = omitted(entry.inputs, port);
  return { ...entry, inputs: source === undefined ? rest : { ...rest, [port]: source } };
}

export function withInputs(entry: NodeEntry, change: (source: Source, port: string) => Source | undefined): NodeEntry {
  if (!entry.inputs) return entry;
  const inputs = Object.entries(entry.inputs).map(([port, source]) => [port, change(source, port)] as const);
  return { ...entry, inputs: Object.fromEntries(inputs.filter(([, source]) => source !== undefined)) as never };
}

/** Names for those of the nodes that move to another graph; by their old ones. */
export function newNames(nodes: object, names: ReadonlySet<string>, taken: object): Map<string, string> {
  const found = new Map<string, string>();
  const all: Record<string, unknown> = { ...taken };
  for (const name of Object.keys(nodes).filter((each) => names.has(each))) {
    const own = freeName(all, name);
    all[own] = true;
    found.set(name, own);
  }
  return found;
}

/** The table without some of its names. */
export function omitted<T>(table: Readonly<Record<string, T>> = {}, ...names: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(table).filter(([name]) => !names.includes(name)));
}

export function changed<T>(table: Readonly<Record<string, T>>, change: (value: T) => T | undefined): Record<string, T> {
  const found = Object.entries(table).map(([name, value]) => [name, change(value)] as const);
  return Object.fromEntries(found.filter((each): each is [string, T] => each[1] !== undefined));
}

/** Points with something added to each. */
export function shifted<T extends Point>(point: T, { x, y }: Point): T {
  return { ...point, x: point.x + x, y: point.y + y };
}

function drafted(graph: Graph): Draft {
  return { graph, nodes: { ...graph.nodes }, inputs: { ...graph.inputs }, outputs: { ...graph.outputs } };
}

function finished({ graph, nodes, inputs, outputs }: Draft, layout: Layout): Graph {
  return withLayout({ ...graph, nodes, inputs, outputs }, layout);
}
