import { expect, it } from "vitest";
import { parsePreview, waitMs } from "./events";

function message(head: object, picture: Uint8Array): ArrayBuffer {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const made = new Uint8Array(4 + text.length + picture.length);
  new DataView(made.buffer).setUint32(0, text.length);
  made.set(text, 4);
  made.set(picture, 4 + text.length);
  return made.buffer;
}

it("a preview is its head and its picture", async () => {
  const head = { kind: "preview", job: "a", node: "each[1]/sample", step: 3, width: 2, height: 2, type: "image/webp" };
  const found = parsePreview(message(head, new Uint8Array([1, 2, 3])));
  expect(found).toMatchObject({ job: "a", node: "each[1]/sample" });
  expect(found?.picture.type).toBe("image/webp");
  expect([...new Uint8Array((await found?.picture.arrayBuffer()) ?? new ArrayBuffer(0))]).toEqual([1, 2, 3]);
});

it("what is no preview is left alone", () => {
  expect(parsePreview(new ArrayBuffer(2))).toBeNull();
  expect(parsePreview(new Uint8Array([0, 0, 1, 0, 1]).buffer)).toBeNull();
  expect(parsePreview(message({ kind: "other" }, new Uint8Array()))).toBeNull();
});

it("tries to connect come further and further apart, within bounds", () => {
  const waits = Array.from({ length: 12 }, (_, tries) => waitMs(tries, 0.5));
  expect(waits).toEqual([...waits].sort((a, b) => a - b));
  expect(waits[0]).toBe(250);
  expect(waits.at(-1)).toBe(5000);
});
