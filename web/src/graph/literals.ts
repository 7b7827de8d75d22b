// Values written by hand, checked against a port type without coercion: the same rules, in the same words, as
// nodegraph/ports/literals.py; tests/corpus/literals.json holds both to them.
import type { Json, Limits, PortType } from "../api/types";
import { describe } from "./portTypes";

/** Why a written value does not do; `where` is its place inside the value, such as `[2].size`. */
export interface Problem {
  readonly reason: string;
  readonly remedy: string;
  readonly where: string;
}

const MAX_DEPTH = 200;

/** Everything that is wrong with `value` for `port`; empty when it fits. */
export function problems(port: PortType, value: Json): Problem[] {
  switch (port.kind) {
    case "int":
    case "float":
    case "bool":
    case "str":
      if (!isA(port.kind, value)) return [problemOf(`it is ${jsonName(value)}, not ${port.kind}`, EXAMPLES[port.kind])];
      return some(scalarProblem(port, value));
    case "none":
      return value === null ? [] : [problemOf(`it is ${jsonName(value)}, not null`)];
    case "variable":
      if (port.bound) return problems(port.bound, value);
      return anyProblems(value);
    case "any":
      return anyProblems(value);
    case "choice":
      return port.values.includes(value as string) ? [] : [problemOf("it is not offered", `choose ${describe(port)}`)];
    case "path":
      return some(pathProblem(port.of, value));
    case "wire":
      return [problemOf(`${describe(port)} cannot be written by hand`, "wire it from a node that makes one")];
    default:
      return nestedProblems(port, value);
  }
}

/** What is wrong with a value in one line for people, or null. */
export function problem(value: Json, port: PortType): string | null {
  const first = problems(port, value)[0];
  if (!first) return null;
  const where = first.where ? `${first.where}: ` : "";
  return where + first.reason + (first.remedy ? `; ${first.remedy}` : "");
}

const EXAMPLES: Readonly<Record<string, string>> = {
  int: "write a whole number",
  float: "write a number",
  bool: "write true or false",
  str: 'write a text in " "',
};

function problemOf(reason: string, remedy = "", where = ""): Problem {
  return { reason, remedy, where };
}

function some(found: Problem | null): Problem[] {
  return found ? [found] : [];
}

function inside(at: string): (found: Problem) => Problem {
  return (found) => ({ ...found, where: at + found.where });
}

type Scalar = Extract<PortType, { kind: "int" | "float" | "bool" | "str" }>;

function scalarProblem(port: Scalar, value: Json): Problem | null {
  if (typeof value === "number" && !Number.isFinite(value)) {
    return problemOf("it is not a finite number", "give a finite number");
  }
  if (typeof value === "string" && !value.isWellFormed()) {
    return problemOf("it holds half a character (a lone surrogate)", "write it as UTF-8");
  }
  return limitProblem(port.limits, value);
}

function limitProblem(limits: Limits | null | undefined, value: Json): Problem | null {
  if (!limits) return null;
  if (typeof value === "number") return numberProblem(limits, value);
  if (typeof value === "string") return lengthProblem(limits, [...value].length, "characters", value);
  return Array.isArray(value) ? lengthProblem(limits, value.length, "items") : null;
}

function numberProblem(limits: Limits, value: number): Problem | null {
  const broken =
    value < (limits.ge ?? -Infinity) ||
    value <= (limits.gt ?? -Infinity) ||
    value > (limits.le ?? Infinity) ||
    value >= (limits.lt ?? Infinity);
  if (broken) return problemOf("it is out of range", `give a number ${rangeText(limits)}`);
  const step = limits.multiple_of;
  if (step && !isMultiple(value, step)) return problemOf(`it is no multiple of ${step}`, `give a multiple of ${step}`);
  return null;
}

function isMultiple(value: number, step: number): boolean {
  if (Number.isInteger(value) && Number.isInteger(step)) return value % step === 0;
  return Math.abs(value - Math.round(value / step) * step) <= Math.abs(value) * 1e-9;
}

/** The range as people read it, such as "at least 0 and at most 1"; empty where there is none. */
export function rangeText(limits: Limits): string {
  const words = { ge: "at least", gt: "above", le: "at most", lt: "below" } as const;
  return (Object.keys(words) as (keyof typeof words)[])
    .filter((name) => limits[name] !== null && limits[name] !== undefined)
    .map((name) => `${words[name]} ${limits[name]}`)
    .join(" and ");
}

function lengthProblem(limits: Limits, length: number, noun: string, text?: string): Problem | null {
  const { min_length: least, max_length: most, pattern } = limits;
  if (typeof least === "number" && length < least) {
    return problemOf(`it has ${length} ${noun}`, `give at least ${least}`);
  }
  if (typeof most === "number" && length > most) return problemOf(`it has ${length} ${noun}`, `give at most ${most}`);
  if (pattern && text !== undefined && !matches(pattern, text)) {
    return problemOf("it does not have the form asked for", `it must match ${pattern}`);
  }
  return null;
}

/** Whether a text matches; a pattern that only the server understands is left to it. */
function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true;
  }
}

type Nested = Extract<PortType, { kind: "list" | "map" | "model" | "union" }>;

function nestedProblems(port: Nested, value: Json): Problem[] {
  if (port.kind === "union") return unionProblems(port.members, value);
  if (port.kind === "list") {
    if (!Array.isArray(value)) return [problemOf(`it is ${jsonName(value)}, not a list`, "write it in [ ]")];
    const items = (value as readonly Json[]).flatMap((each, index) =>
      problems(port.item, each).map(inside(`[${index}]`)),
    );
    return [...some(limitProblem(port.limits, value)), ...items];
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [problemOf(`it is ${jsonName(value)}, not an object`, 'write it as {"value": {...}}')];
  }
  const table = value as Readonly<Record<string, Json>>;
  if (port.kind === "map") {
    return Object.entries(table).flatMap(([name, each]) => problems(port.item, each).map(inside(`.${name}`)));
  }
  const names = port.fields.map((field) => field.name);
  const unknown = Object.keys(table)
    .filter((name) => !names.includes(name))
    .map((name) => problemOf("there is no such field", `the fields are ${names.join(", ")}`, `.${name}`));
  const known = port.fields.flatMap((field) => {
    const given = table[field.name];
    if (given !== undefined) return problems(field.type, given).map(inside(`.${field.name}`));
    const missing = problemOf("the field is missing", `give it as ${describe(field.type)}`, `.${field.name}`);
    return (field.required ?? true) ? [missing] : [];
  });
  return [...unknown, ...known];
}

function unionProblems(members: readonly PortType[], value: Json): Problem[] {
  const ordered = byExactness(members, value);
  const found = ordered.map((member) => problems(member, value));
  if (found.some((each) => each.length === 0)) return [];
  const sameKind = found[ordered.findIndex((member) => isScalar(member) && isA(member.kind, value))]?.[0];
  return [sameKind ?? problemOf(`it is not ${describe({ kind: "union", members })}`, found[0]?.[0]?.remedy ?? "")];
}

/** The members, those first that are exactly of the value's kind (so that 1 in `float | int` is an int). */
export function byExactness(members: readonly PortType[], value: Json): PortType[] {
  const isExact = (member: PortType) => isScalar(member) && member.kind === scalarKind(value);
  return [...members.filter(isExact), ...members.filter((member) => !isExact(member))];
}

function isScalar(port: PortType): port is Scalar {
  return port.kind in EXAMPLES;
}

function scalarKind(value: Json): string {
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "str";
  return typeof value === "number" ? (Number.isInteger(value) ? "int" : "float") : "";
}

function isA(kind: string, value: Json): boolean {
  const given = scalarKind(value);
  return given === kind || (kind === "float" && given === "int");
}

function pathProblem(kind: string, value: Json): Problem | null {
  if (typeof value !== "string" || !value) {
    return problemOf(`it is ${jsonName(value)}, not a file name`, `name a ${kind} file`);
  }
  if (/^([/\\]|[A-Za-z]:[/\\])/.test(value)) {
    return problemOf("absolute paths are not allowed in a workflow", `name a file inside the ${kind} folders`);
  }
  if (!value.isWellFormed()) return problemOf("the name is no UTF-8", `name a ${kind} file in UTF-8`);
  if (value.split(/[/\\]/).includes("..") || value.includes("\0")) {
    return problemOf("the name leaves its folder", `name a file inside the ${kind} folders, without '..'`);
  }
  return null;
}

function anyProblems(value: Json): Problem[] {
  if (isJson(value, MAX_DEPTH)) return [];
  const reason = "it holds a number that is not finite, a text that is no UTF-8, or too many lists in one another";
  return [problemOf(reason, "give what a workflow file can hold")];
}

function isJson(value: Json, depth: number): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  const parts = Array.isArray(value) ? (value as readonly Json[]) : Object.entries(value as object).flat();
  return depth > 0 && (parts as readonly Json[]).every((each) => isJson(each, depth - 1));
}

function jsonName(value: Json): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return "a truth value";
  if (typeof value === "number") return Number.isInteger(value) ? "a whole number" : "a number";
  if (typeof value === "string") return "a text";
  return Array.isArray(value) ? "a list" : "an object";
}
