// What happens to layouts when nodes go from one graph to another.
import { shifted } from "./border";
import { type Layout, type Point, parsePlace, place } from "./document";

type Table<T> = Readonly<Record<string, T>>;

/**
 * Both layouts after nodes went from one graph to the other under new names; one that is dropped has "". Reroute points
 * of the nodes' wires go along.
 */
export function movedLayouts(
  from: Layout = {},
  to: Layout = {},
  renamed: ReadonlyMap<string, string>,
  shift: Point,
): readonly [Layout, Layout] {
  const key = (name: string) => renamed.get(name);
  const at = (old: string) => {
    const { node, port } = parsePlace(old);
    const name = renamed.get(node);
    return name && place(name, port);
  };
  const isHere = (name: string) => !renamed.has(name);
  const isHereAt = (old: string) => !renamed.has(parsePlace(old).node);
  return [
    {
      ...from,
      nodes: kept(from.nodes, isHere),
      wires: kept(from.wires, isHereAt),
      seeds: kept(from.seeds, isHereAt),
      open: (from.open ?? []).filter(isHere),
    },
    {
      ...to,
      nodes: { ...to.nodes, ...moved(from.nodes, key, (each) => shifted(each, shift)) },
      wires: { ...to.wires, ...moved(from.wires, at, (points) => points.map((each) => shifted(each, shift))) },
      seeds: { ...to.seeds, ...moved(from.seeds, at, (mode) => mode) },
      open: [...(to.open ?? []), ...(from.open ?? []).flatMap((name) => renamed.get(name) || [])],
    },
  ];
}

function kept<T>(table: Table<T> = {}, isKept: (name: string) => boolean): Table<T> {
  return Object.fromEntries(Object.entries(table).filter(([name]) => isKept(name)));
}

function moved<T>(table: Table<T> = {}, key: (name: string) => string | undefined, change: (value: T) => T): Table<T> {
  return Object.fromEntries(
    Object.entries(table).flatMap(([name, value]) => {
      const own = key(name);
      return own ? [[own, change(value)]] : [];
    }),
  );
}
