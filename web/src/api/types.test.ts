import { expectTypeOf, test } from "vitest";
import type { Json, NodeDefinition, PortType, Schemas, Widget } from "./types";

test("what the server sends is what the editor reads", () => {
  expectTypeOf<Schemas["PortType"]>().toExtend<PortType>();
  expectTypeOf<Schemas["Widget"]>().toExtend<Widget>();
  expectTypeOf<Schemas["NodeDefinition"]>().toExtend<NodeDefinition>();
  expectTypeOf<Schemas["JsonValue"]>().toExtend<Json>();
  expectTypeOf<PortType["kind"]>().toEqualTypeOf<Schemas["PortType"]["kind"]>();
});
