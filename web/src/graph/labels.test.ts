import { expect, test } from "vitest";
import { labelOf } from "./labels";

test.each([
  ["load_checkpoint", "Load checkpoint"],
  ["dpmpp_2m", "DPM++ 2M"],
  ["apply_lora", "Apply LoRA"],
  ["sample", "Sample"],
  ["acme.clip_skip", "CLIP skip"],
])("%s is called %s", (type, label) => {
  expect(labelOf(type)).toBe(label);
});
