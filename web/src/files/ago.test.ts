import { expect, test } from "vitest";
import { ago } from "./ago";

const now = new Date("2026-06-01T12:00:00Z");

test.each([
  ["2026-06-01T11:59:30Z", "just now"],
  ["2026-06-01T11:59:00Z", "1 minute ago"],
  ["2026-06-01T09:30:00Z", "2 hours ago"],
  ["2026-05-31T11:00:00Z", "yesterday"],
  ["2024-05-31T11:00:00Z", "2 years ago"],
])("%s is %s", (moment, said) => {
  expect(ago(new Date(moment), now)).toBe(said);
});
