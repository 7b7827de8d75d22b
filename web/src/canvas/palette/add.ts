// Adding what was chosen in the palette or the library.
import type { Point } from "../../graph/document";
import { asOneStep, select } from "../../store/editor";
import { settleInRegion } from "../../subgraphs/dropNodes";
import { drawWire, joined, portFor } from "../connecting";
import { NODE_WIDTH } from "../rows";
import type { PaletteRequest } from "../state";
import type { PaletteEntry } from "./entries";
import { rememberUse } from "./recent";

export function addEntry(entry: PaletteEntry, at: Point, start?: PaletteRequest["start"]): void {
  if (entry.ports) rememberUse(entry.id);
  asOneStep(() => {
    const isBefore = start?.side === "input";
    const node = entry.create({ x: Math.round(isBefore ? at.x - NODE_WIDTH : at.x), y: Math.round(at.y - 20) });
    if (node === undefined) return;
    const id = settleInRegion(node, at, start?.node);
    const port = start && portFor(id.slice(id.lastIndexOf("/") + 1), start);
    if (start && port !== undefined) drawWire(joined(start, { node: id, port }));
    select([id]);
  });
}
