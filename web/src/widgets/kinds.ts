// Which field a type is written with, and what a new value of it starts as. Types and widgets alone decide.
import type { Json, PortType, Widget } from "../api/types";
import { byExactness, problems } from "../graph/literals";
import { numberRange } from "./numbers";

export type FieldKind =
  | "number"
  | "seed"
  | "switch"
  | "choice"
  | "text"
  | "prompt"
  | "file"
  | "picture"
  | "list"
  | "map"
  | "record"
  | "union"
  | "json"
  /** It can only be wired. */
  | "none";

export function fieldKind(port: PortType, widget: Widget | null): FieldKind {
  switch (port.kind) {
    case "int":
    case "float":
      return widget?.kind === "seed" ? "seed" : "number";
    case "bool":
      return "switch";
    case "choice":
      return "choice";
    case "str":
      return widget?.kind === "multiline" ? "prompt" : "text";
    case "path":
      return port.of === "image" ? "picture" : "file";
    case "list":
      return fieldKind(port.item, null) === "none" ? "none" : "list";
    case "map":
      return fieldKind(port.item, null) === "none" ? "none" : "map";
    case "model":
      return "record";
    case "variable":
      return port.bound ? fieldKind(port.bound, widget) : "json";
    case "any":
      return "json";
    case "union": {
      const options = optionsOf(port.members);
      if (options.length !== 1) return options.length === 0 ? "none" : "union";
      const kind = fieldKind(options[0] as PortType, widget);
      return takesNone(port) && kind !== "file" && kind !== "picture" ? "union" : kind;
    }
    default:
      return "none";
  }
}

/** Whether the field needs the whole width, below its name. */
export function isTall(port: PortType, widget: Widget | null, value: Json | undefined): boolean {
  const kind = fieldKind(port, widget);
  if (kind === "union" && port.kind === "union") {
    const chosen = memberFor(port.members, value);
    return chosen !== undefined && isTall(chosen, widget, value);
  }
  if (kind === "list" && port.kind === "list") return !isNumber(port.item);
  return kind === "prompt" || kind === "picture" || kind === "map" || kind === "record";
}

export function isNumber(port: PortType): boolean {
  return port.kind === "int" || port.kind === "float";
}

export function takesNone(port: PortType): boolean {
  return port.kind === "union" && port.members.some((each) => each.kind === "none");
}

/** The members of a union that can be written by hand. */
export function optionsOf(members: readonly PortType[]): PortType[] {
  return members.filter((each) => fieldKind(each, null) !== "none");
}

/** The member that a value is of, or the first that can be written; undefined where the value is nothing. */
export function memberFor(members: readonly PortType[], value: Json | undefined): PortType | undefined {
  const options = optionsOf(members);
  if (value === null || value === undefined) {
    return members.some((each) => each.kind === "none") ? undefined : options[0];
  }
  return byExactness(options, value).find((each) => problems(each, value).length === 0) ?? options[0];
}

/** The one type that is not "nothing" where a union has only that; else the type itself. */
export function withoutNone(port: PortType): PortType {
  if (port.kind === "variable" && port.bound) return withoutNone(port.bound);
  const options = port.kind === "union" ? optionsOf(port.members) : [];
  return options.length === 1 ? (options[0] as PortType) : port;
}

/** What a value of the type is at first. */
export function firstValue(port: PortType): Json {
  switch (port.kind) {
    case "int":
    case "float": {
      const { least, most } = numberRange(port, null);
      return Math.min(most, Math.max(least, 0));
    }
    case "bool":
      return false;
    case "choice":
      return port.values[0] ?? null;
    case "str":
    case "path":
      return "";
    case "list":
      return [];
    case "map":
      return {};
    case "model":
      return Object.fromEntries(port.fields.map(({ name, type, default: held }) => [name, held ?? firstValue(type)]));
    case "union":
      return firstValue(optionsOf(port.members)[0] ?? { kind: "none" });
    case "variable":
      return port.bound ? firstValue(port.bound) : "";
    default:
      return null;
  }
}
