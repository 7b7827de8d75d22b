import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { PortType } from "../api/types";
import { describe, whyNot } from "./portTypes";

interface Corpus {
  readonly types: readonly PortType[];
  readonly names: readonly string[];
  readonly reasons: readonly (readonly [number, number, string | null])[];
}

/** What nodegraph/ports/types.py says; tests/nodegraph/ports/test_connections.py compares it with the same file. */
const file = new URL("../../../tests/corpus/connections.json", import.meta.url);
const { types, names, reasons } = JSON.parse(readFileSync(file, "utf-8")) as Corpus;

test("types are called as the server calls them", () => {
  expect(types.map(describe)).toEqual(names);
});

test("wires are refused for the server's reasons", () => {
  const said = reasons.map(([source, target]) => {
    const [from, to] = [types[source], types[target]];
    return from && to ? [source, target, whyNot(from, to)] : [];
  });
  expect(said).toEqual(reasons);
});
