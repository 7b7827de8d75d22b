import { describe, expect, it } from "vitest";
import { addGroup, addNote, boundsOf, changeBox, groupAround, holds, moveBoxes, removeBoxes } from "./boxes";
import type { Graph } from "./document";
import { connect, disconnect, removeNodes, renameNode } from "./edits";
import { insertPoint, pointsKey, setPoints } from "./points";

const from = (node: string) => ({ node, port: "out" });
const to = { node: "c", port: "in" };

describe("reroute points", () => {
  it("are put into the stretch that is nearest", () => {
    const ends = [
      { x: 0, y: 0 },
      { x: 300, y: 0 },
    ] as const;
    const points = [{ x: 100, y: 100 }];
    expect(insertPoint(points, ends, { x: 200, y: 60 })[1]).toEqual({ x: 200, y: 60 });
    expect(insertPoint(points, ends, { x: 40, y: 30 })[0]).toEqual({ x: 40, y: 30 });
  });

  it("go with their wire: when it is cut, when its node is renamed, and when an earlier wire of a list is cut", () => {
    let graph: Graph = { nodes: { a: { type: "t" }, b: { type: "t" }, c: { type: "t" } } };
    graph = connect(connect(graph, from("a"), to, "item"), from("b"), to, "item");
    graph = setPoints(graph, pointsKey(to, 1), [{ x: 1.4, y: 2 }]);
    expect(renameNode(graph, "c", "d").layout?.wires).toEqual({ "d.in#1": [{ x: 1, y: 2 }] });
    expect(disconnect(graph, to, 0).layout?.wires).toEqual({ "c.in": [{ x: 1, y: 2 }] });
    expect(disconnect(graph, to, 1).layout?.wires).toBeUndefined();
    expect(removeNodes(graph, new Set(["c"])).layout?.wires).toBeUndefined();
  });
});

describe("groups and notes", () => {
  const rects = [
    { x: 0, y: 0, width: 100, height: 50 },
    { x: 200, y: 100, width: 100, height: 50 },
  ];

  it("are drawn around what is grouped", () => {
    const group = groupAround("g", rects);
    expect(boundsOf(rects)).toEqual({ x: 0, y: 0, width: 300, height: 150 });
    for (const each of rects) expect(group && holds(group, each)).toBe(true);
    expect(group && holds(group, { x: 400, y: 0, width: 10, height: 10 })).toBe(false);
    expect(groupAround("g", [])).toBeUndefined();
  });

  it("are moved, coloured and taken away without touching others", () => {
    const group = groupAround("g", rects);
    if (!group) throw new Error("there is something to group");
    let graph = addGroup(addGroup({}, group), { ...group, id: "h" });
    graph = addNote(graph, { id: "n", text: "why", colour: "amber", x: 0, y: 0, width: 100, height: 100 });
    graph = moveBoxes(graph, "groups", new Map([["g", { x: 7.6, y: 8 }]]));
    graph = changeBox(graph, "notes", "n", { colour: "red" });
    expect(graph.layout?.groups?.map((each) => each.x)).toEqual([8, group.x]);
    expect(graph.layout?.notes?.[0]?.colour).toBe("red");
    expect(removeBoxes(graph, "groups", new Set(["g"])).layout?.groups?.map((each) => each.id)).toEqual(["h"]);
    expect(removeBoxes(graph, "notes", new Set(["n"])).layout?.notes).toBeUndefined();
  });
});
