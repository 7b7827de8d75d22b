// Moving nodes out of the graph that a node runs: the inverse of moving them into it.
import { Border, changed, mapWires, newNames, omitted, passesOf, rewired, withInputs } from "./border";
import { type Document, type GraphName, type NodeEntry, type Point, parsePlace, place, wiresOf } from "./document";
import { ownGraph } from "./library";
import { movedLayouts } from "./movedLayouts";

/** Why nodes cannot leave the graph that a node runs; null when they can. */
export function whyNotOut(document: Document, graph: GraphName, call: string, names: ReadonlySet<string>) {
  const border = new Border(document, graph, call);
  for (const [at, declared] of border.fedBy()) {
    const { node } = parsePlace(at);
    if (names.has(node) && border.varies(declared)) return `${node} gets another ${declared} in every round`;
  }
  const { carry = [], until } = border.entry;
  for (const [name, { from }] of Object.entries(border.inner.outputs)) {
    const { node } = parsePlace(from);
    if (names.has(node) && carry.includes(name)) return `the loop carries ${name} of ${node} to its next round`;
    if (names.has(node) && until === name) return `${node} ends the loop`;
  }
  return null;
}

/**
 * Move nodes of the graph that the node `call` runs out of it; `shift` is added to their positions. The nodes must be
 * `closed` there. A graph that other nodes run as well is copied first.
 */
export function moveOut(
  document: Document,
  graph: GraphName,
  call: string,
  names: ReadonlySet<string>,
  shift: Point = { x: 0, y: 0 },
): Document {
  const border = new Border(ownGraph(document, graph, call), graph, call);
  const { outer, inner } = border;
  const fedBy = border.fedBy();
  const given = { ...border.entry.inputs };
  const passes = passesOf(border, names);
  const renamed = newNames(inner.nodes, new Set([...names].filter((name) => !passes.has(name))), outer.nodes);
  const outside = (from: string) => {
    const { node, port } = parsePlace(from);
    const own = renamed.get(node);
    return own === undefined ? passes.get(node) : place(own, port);
  };

  for (const [old, name] of renamed) {
    const entry = inner.nodes[old] as NodeEntry;
    const written = withInputs(entry, (source) => mapWires(source, (from) => outside(from) ?? border.give(from)));
    const fed = [...fedBy].flatMap(([at, declared]) => {
      const { node, port } = parsePlace(at);
      const source = given[declared];
      return node === old && source !== undefined ? [[port, source] as const] : [];
    });
    outer.nodes[name] =
      fed.length > 0 ? { ...written, inputs: { ...written.inputs, ...Object.fromEntries(fed) } } : written;
  }
  const gone = new Map([...renamed, ...[...passes.keys()].map((name) => [name, ""] as const)]);
  inner.nodes = omitted(inner.nodes, ...gone.keys());
  moveDeclared(border, fedBy, outside);
  dropPlaces(border, gone);
  takeFromOutside(border, outside);
  moveOutputs(border, outside);
  const [innerLayout, outerLayout] = movedLayouts(inner.graph.layout, outer.graph.layout, gone, shift);
  return border.done(outerLayout, innerLayout);
}

type Outside = (from: string) => string | undefined;

/** Declared inputs of the outer graph that went to moved nodes through the inner one go there directly. */
function moveDeclared(border: Border, fedBy: ReadonlyMap<string, string>, outside: Outside): void {
  const direct = new Map<string, string[]>();
  for (const [at, declared] of fedBy) {
    const own = outside(at);
    const through = place(border.call, declared);
    if (own !== undefined) direct.set(through, [...(direct.get(through) ?? []), own]);
  }
  border.outer.inputs = changed(border.outer.inputs, (declared) => ({
    ...declared,
    to: declared.to.flatMap((at) => [...(direct.get(at) ?? []), at]),
  }));
}

/** Declared inputs of the inner graph go no more to nodes that left. */
function dropPlaces(border: Border, gone: ReadonlyMap<string, string>): void {
  for (const [name, declared] of Object.entries(border.inner.inputs)) {
    const to = declared.to.filter((at) => !gone.has(parsePlace(at).node));
    if (to.length === 0) border.removeInput(name);
    else border.inner.inputs[name] = { ...declared, to };
  }
}

/** What stays inside gets what the moved nodes give through declared inputs. */
function takeFromOutside(border: Border, outside: Outside): void {
  const inside = (from: string) => (outside(from) === undefined ? from : undefined);
  const isNear = (entry: NodeEntry) =>
    Object.values(entry.inputs ?? {}).some((source) => wiresOf(source).some((wire) => inside(wire.from) === undefined));
  for (const [name, entry] of Object.entries(border.inner.nodes)) {
    if (!isNear(entry)) continue;
    border.inner.nodes[name] = withInputs(entry, (source, port) =>
      border.takeIn(place(name, port), source, inside, (from) => outside(from) ?? from),
    );
  }
}

/** What the moved nodes gave through declared outputs comes from them directly. */
function moveOutputs(border: Border, outside: Outside): void {
  const { outer, inner, call } = border;
  const direct = new Map<string, string>();
  for (const [name, { from }] of Object.entries(inner.outputs)) {
    const own = outside(from);
    if (own === undefined) continue;
    direct.set(place(call, name), own);
    border.removeOutput(name);
  }
  outer.nodes = rewired(outer.nodes, (from) => direct.get(from) ?? from);
  outer.outputs = changed(outer.outputs, (each) => ({ ...each, from: direct.get(each.from) ?? each.from }));
}
