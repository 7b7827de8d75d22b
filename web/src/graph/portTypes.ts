// Port types as the server describes them, and whether one may flow into another: the same rules, in the same words,
// as nodegraph/ports/types.py.
import type { PortType } from "../api/types";

export type Bindings = Map<string, PortType>;

export const ANY: PortType = { kind: "any" };

export function union(members: readonly PortType[]): PortType {
  const flat: PortType[] = [];
  for (const member of members) {
    for (const each of member.kind === "union" ? member.members : [member]) {
      if (!flat.some((known) => same(known, each))) flat.push(each);
    }
  }
  return flat.length === 1 && flat[0] ? flat[0] : { kind: "union", members: flat };
}

/** A short name for people, such as `list[Image] | none`. */
export function describe(port: PortType): string {
  switch (port.kind) {
    case "choice":
      return `one of ${port.values.map(shown).join(", ")}`;
    case "path":
      return `${port.of} file`;
    case "list":
      return `list[${describe(port.item)}]`;
    case "map":
      return `dict[str, ${describe(port.item)}]`;
    case "union":
      return port.members.map(describe).join(" | ") || "nothing";
    case "variable":
      return port.name;
    case "wire": {
      const short = shortName(port.id);
      return port.arguments?.length ? `${short}[${port.arguments.map(describe).join(", ")}]` : short;
    }
    case "model":
      return port.id.slice(port.id.lastIndexOf(":") + 1);
    default:
      return port.kind;
  }
}

function shortName(id: string): string {
  return id.slice(id.lastIndexOf(".") + 1);
}

function shown(value: unknown): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "string" ? `'${value}'` : String(value);
}

/** `port` with its type variables replaced; what nothing decided becomes its bound, or `any`. */
export function substitute(port: PortType, bindings: ReadonlyMap<string, PortType>): PortType {
  switch (port.kind) {
    case "variable":
      return bindings.get(port.name) ?? port.bound ?? ANY;
    case "list":
    case "map":
      return { ...port, item: substitute(port.item, bindings) };
    case "union":
      return union(port.members.map((each) => substitute(each, bindings)));
    case "wire":
      return port.arguments?.length
        ? { ...port, arguments: port.arguments.map((each) => substitute(each, bindings)) }
        : port;
    default:
      return port;
  }
}

export function hasVariable(port: PortType): boolean {
  switch (port.kind) {
    case "variable":
      return true;
    case "list":
    case "map":
      return hasVariable(port.item);
    case "union":
      return port.members.some(hasVariable);
    case "wire":
      return port.arguments?.some(hasVariable) ?? false;
    default:
      return false;
  }
}

/** The list type that `port` admits, the first of several. */
export function listType(port: PortType): Extract<PortType, { kind: "list" }> | undefined {
  if (port.kind === "list") return port;
  if (port.kind === "any") return { kind: "list", item: ANY };
  if (port.kind === "union") return port.members.find((each) => each.kind === "list");
  return undefined;
}

/** Why a value of type `source` may not flow into `target`; null when it may. */
export function whyNot(source: PortType, target: PortType, bindings: Bindings = new Map()): string | null {
  if (target.kind === "any" || same(source, target)) return null;
  if (source.kind === "union") {
    if (source.members.length === 0) bindNothing(target, bindings);
    for (const member of source.members) {
      const reason = whyNot(member, target, bindings);
      if (reason) return `it may be ${describe(member)}, and ${reason}`;
    }
    return null;
  }
  if (target.kind === "union") return whyNotAny(source, target.members, bindings);
  if (target.kind === "variable") return whyNotVariable(source, target, bindings);
  return whyNotPlain(source, target, bindings);
}

function bindNothing(target: PortType, bindings: Bindings): void {
  if (target.kind === "variable") {
    if (!bindings.has(target.name)) bindings.set(target.name, { kind: "union", members: [] });
  } else if (target.kind === "list" || target.kind === "map") bindNothing(target.item, bindings);
  else if (target.kind === "union") target.members.forEach((each) => bindNothing(each, bindings));
  else if (target.kind === "wire") target.arguments?.forEach((each) => bindNothing(each, bindings));
}

function whyNotAny(source: PortType, members: readonly PortType[], bindings: Bindings): string | null {
  const closedFirst = [...members].sort((a, b) => Number(hasVariable(a)) - Number(hasVariable(b)));
  for (const member of closedFirst) {
    const trial = new Map(bindings);
    if (whyNot(source, member, trial) === null) {
      trial.forEach((value, key) => bindings.set(key, value));
      return null;
    }
  }
  return `${describe(source)} is none of ${members.map(describe).join(" | ")}`;
}

function whyNotVariable(
  source: PortType,
  target: Extract<PortType, { kind: "variable" }>,
  bindings: Bindings,
): string | null {
  if (target.bound) {
    const reason = whyNot(source, target.bound, bindings);
    if (reason) return `${target.name} must be ${describe(target.bound)}: ${reason}`;
  }
  const known = bindings.get(target.name);
  bindings.set(target.name, known ? union([known, source]) : source);
  return null;
}

const SCALARS = new Set(["int", "float", "bool", "str"]);

function whyNotPlain(source: PortType, target: PortType, bindings: Bindings): string | null {
  if (SCALARS.has(source.kind) && SCALARS.has(target.kind)) {
    if (source.kind === target.kind || (source.kind === "int" && target.kind === "float")) return null;
  } else if (source.kind === "choice" && !source.enum && SCALARS.has(target.kind)) {
    const names = [...new Set(source.values.map(kindOf))].sort();
    const fits = names.every((each) => each === target.kind || (target.kind === "float" && each === "int"));
    return fits ? null : `its choices are ${names.join(", ")}, not ${target.kind}`;
  } else if (source.kind === "choice" && target.kind === "choice") {
    const extra = source.values.filter((each) => !target.values.includes(each));
    if ((source.enum ?? null) === (target.enum ?? null) && extra.length === 0) return null;
    return extra.length ? `it may be ${extra.map(shown).join(", ")}, which is not offered` : "they are two enums";
  } else if (SCALARS.has(source.kind) && target.kind === "choice") {
    return `any ${source.kind} might arrive, but only ${describe(target).slice(7)} will do`;
  } else if (source.kind === "list" && target.kind === "list") {
    const reason = whyNot(source.item, target.item, bindings);
    return reason ? `its items do not fit: ${reason}` : null;
  } else if (source.kind === "map" && target.kind === "map") {
    const reason = whyNot(source.item, target.item, bindings);
    return reason ? `its values do not fit: ${reason}` : null;
  } else if (
    source.kind === "wire" &&
    target.kind === "wire" &&
    (source.id === target.id || source.bases?.includes(target.id))
  ) {
    return whyNotArguments(source, target, bindings);
  }
  if (target.kind === "list" && whyNot(source, target.item, new Map(bindings)) === null) {
    return `a list is wanted; write [${describe(source)}] as a list of one`;
  }
  if (source.kind === "any") return `nothing is known about it, and ${describe(target)} is needed`;
  return `${describe(source)} is not ${describe(target)}`;
}

type Wire = Extract<PortType, { kind: "wire" }>;

function whyNotArguments(source: Wire, target: Wire, bindings: Bindings): string | null {
  if (source.id !== target.id || !target.arguments?.length) return null;
  for (const [index, wanted] of target.arguments.entries()) {
    const given = source.arguments?.[index];
    const reason = given && whyNot(given, wanted, bindings);
    if (reason) return `${describe(source)} is not ${describe(target)}: ${reason}`;
  }
  return null;
}

function kindOf(value: unknown): string {
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "str";
  return Number.isInteger(value) ? "int" : "float";
}

function same(a: PortType, b: PortType): boolean {
  return a === b || canonical(a) === canonical(b);
}

const canonicalForms = new WeakMap<PortType, string>();

function canonical(port: PortType): string {
  let text = canonicalForms.get(port);
  if (text === undefined) {
    text = JSON.stringify(port, (_key, value: unknown) =>
      value && typeof value === "object" && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value)
              .filter(([, each]) => each !== null && !(Array.isArray(each) && each.length === 0))
              .sort(([x], [y]) => (x < y ? -1 : 1)),
          )
        : value,
    );
    canonicalForms.set(port, text);
  }
  return text;
}
