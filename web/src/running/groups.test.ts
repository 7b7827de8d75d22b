import { expect, it } from "vitest";
import type { Job } from "../api/jobs";
import { grouped } from "./groups";
import { groupOf, keyOf, tabOf } from "./keys";
import { duration, rate } from "./times";

const job = (id: string, client_key: string | null, batch: string | null = null) =>
  ({ id, client_key, batch }) as unknown as Job;

it("keys tell the tab and what was sent together", () => {
  const key = keyOf("tab-1", "group-1", 4);
  expect(tabOf({ client_key: key })).toBe("tab-1");
  expect(groupOf({ client_key: key, batch: null })).toBe("group-1");
  expect(tabOf({ client_key: "somebody/else" })).toBeNull();
});

it("neighbours that were sent together are one entry, others are not", () => {
  const jobs = [
    job("a", keyOf("t", "g", 1)),
    job("b", keyOf("t", "g", 0)),
    job("c", null),
    job("d", null),
    job("e", null, "batch"),
    job("f", null, "batch"),
  ];
  expect(grouped(jobs).map((each) => each.jobs.map(({ id }) => id).join(""))).toEqual(["ab", "c", "d", "ef"]);
});

it("durations and rates are short", () => {
  expect([0.04, 9.94, 12.3, 59.6, 185, 3753].map(duration)).toEqual([
    "0.0 s",
    "9.9 s",
    "12 s",
    "1:00",
    "3:05",
    "1:02:33",
  ]);
  expect([3.21, 0.25].map(rate)).toEqual(["3.2 it/s", "4.0 s/it"]);
});
