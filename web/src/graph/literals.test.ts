import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Json, PortType } from "../api/types";
import { type Problem, problem, problems } from "./literals";

interface Case {
  readonly type: PortType;
  readonly value: Json;
  readonly problems: readonly Problem[];
}

const CASES = JSON.parse(readFileSync("../tests/corpus/literals.json", "utf8")) as readonly Case[];

describe("written values", () => {
  it.each(CASES.map((each) => [JSON.stringify(each.type), JSON.stringify(each.value), each] as const))(
    "%s takes %s as the server does",
    (_type, _value, each) => expect(problems(each.type, each.value)).toEqual(each.problems),
  );

  it("says in one line what is wrong, and where", () => {
    expect(problem([1, 300], { kind: "list", item: { kind: "int", limits: { ge: 0, le: 255 } } })).toBe(
      "[1]: it is out of range; give a number at least 0 and at most 255",
    );
    expect(problem(7, { kind: "int" })).toBeNull();
  });

  it("refuses what no workflow file can hold", () => {
    expect(problem(Infinity, { kind: "float" })).toBe("it is not a finite number; give a finite number");
    expect(problem(NaN, { kind: "any" })).toContain("not finite");
    expect(problem("\ud800", { kind: "str" })).toContain("half a character");
  });
});
