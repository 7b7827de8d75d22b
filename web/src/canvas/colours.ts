// The colours of types: the same type looks the same everywhere, also types of packs that nobody here has seen.
import type { PortType } from "../api/types";

const SCALARS: Readonly<Record<string, string>> = {
  int: "var(--type-number)",
  float: "var(--type-number)",
  bool: "var(--type-bool)",
  str: "var(--type-text)",
  choice: "var(--type-text)",
  path: "var(--type-path)",
  none: "var(--type-any)",
  any: "var(--type-any)",
  variable: "var(--type-any)",
  map: "var(--type-any)",
  model: "var(--type-any)",
};

/** The colour of a socket or wire as CSS. */
export function colourOf(port: PortType): string {
  switch (port.kind) {
    case "list":
      return colourOf(port.item);
    case "union": {
      const first = port.members.find((each) => each.kind !== "none");
      return first ? colourOf(first) : "var(--type-any)";
    }
    case "wire":
      return `oklch(var(--type-lightness) var(--type-chroma) ${hue(port.id)})`;
    default:
      return SCALARS[port.kind] ?? "var(--type-any)";
  }
}

/** An angle that spreads names over the colour circle. */
function hue(name: string): number {
  let hash = 2166136261;
  for (const character of name) hash = Math.imul(hash ^ character.charCodeAt(0), 16777619);
  return ((hash >>> 0) * 0.618034 * 360) % 360;
}
