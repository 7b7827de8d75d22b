// @vitest-environment jsdom
import { expect, test } from "vitest";
import { ownClipboard, randomId } from "./plainHttp";

test("ids look like UUIDs and differ", () => {
  const ids = new Set(Array.from({ length: 1000 }, randomId));
  expect(ids.size).toBe(1000);
  for (const each of ids) expect(each).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("what is copied can be pasted", async () => {
  document.execCommand = () => true;
  expect(await ownClipboard.readText()).toBe("");
  await ownClipboard.writeText("a graph");
  expect(await ownClipboard.readText()).toBe("a graph");
});
