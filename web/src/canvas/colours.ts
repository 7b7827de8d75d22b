// The colours of types: the same type looks the same everywhere, also types of packs that nobody here has seen.
import type { PortType } from "../api/types";
import type { Colour } from "../graph/document";

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
      return `oklch(var(--type-lightness) var(--type-chroma) ${hue(port.id, TYPE_SEED)})`;
    default:
      return SCALARS[port.kind] ?? "var(--type-any)";
  }
}

/** Where counting begins, so that the commonest types, and the commonest categories, are far from each other. */
const TYPE_SEED = 37288;
const CATEGORY_SEED = 12237;

/** An angle that spreads names over the colour circle. */
function hue(name: string, seed: number): number {
  let hash = seed;
  for (const character of name) hash = Math.imul(hash ^ character.charCodeAt(0), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return (((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32) * 360;
}

const HUES: Readonly<Record<Colour, number | undefined>> = {
  slate: undefined,
  red: 25,
  amber: 75,
  green: 148,
  teal: 195,
  blue: 255,
  violet: 300,
  pink: 350,
};

/** The colour that somebody chose, as CSS. */
export function chosenColour(colour: Colour): string {
  const found = HUES[colour];
  return found === undefined ? "oklch(0.62 0.02 260)" : `oklch(0.62 0.12 ${found})`;
}

/** The colour of a node's header: the chosen one, or that of its category. */
export function tintOf(category: string, colour?: Colour): string {
  if (colour) return chosenColour(colour);
  return `oklch(0.62 0.12 ${hue(category.split("/")[0] ?? "", CATEGORY_SEED)})`;
}
