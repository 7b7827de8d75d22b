import { describe, expect, it } from "vitest";
import type { Graph } from "./document";
import { isMask, maskOf, pictureOf, withMask } from "./masks";

const PICTURE = { node: "photo", port: "file" };
const GRAPH: Graph = {
  nodes: {
    photo: { type: "load_image", inputs: { file: "fox.png" } },
    encode: { type: "encode_image", inputs: { image: { from: "photo.image" } } },
    sample: { type: "sample", inputs: { mask: { from: "photo.mask" } } },
    all: { type: "collect", inputs: { items: [{ from: "photo.mask" }, { from: "encode.latent" }] } },
  },
};

describe("withMask", () => {
  const painted = withMask(GRAPH, PICTURE, "uploads/mask.png");

  it("adds the nodes that load a painted mask, and feeds with it what the transparency fed", () => {
    expect(painted.nodes?.["photo_mask"]).toMatchObject({ type: "load_image", inputs: { file: "uploads/mask.png" } });
    expect(painted.nodes?.["photo_mask_values"]?.inputs).toEqual({ image: { from: "photo_mask.image" } });
    expect(painted.nodes?.["sample"]?.inputs).toEqual({ mask: { from: "photo_mask_values.mask" } });
    expect(painted.nodes?.["all"]?.inputs).toEqual({
      items: [{ from: "photo_mask_values.mask" }, { from: "encode.latent" }],
    });
    expect(painted.nodes?.["encode"]).toBe(GRAPH.nodes?.["encode"]);
  });

  it("writes the next one into the same place, from either picture", () => {
    const mask = { node: "photo_mask", port: "file" };
    expect(maskOf(painted, PICTURE)).toEqual(mask);
    expect(isMask(painted, PICTURE)).toBe(false);
    expect(isMask(painted, mask)).toBe(true);
    expect(pictureOf(painted, mask)).toBe("fox.png");
    const again = withMask(painted, PICTURE, "uploads/other.png");
    expect(Object.keys(again.nodes ?? {})).toEqual(Object.keys(painted.nodes ?? {}));
    expect(again.nodes?.["photo_mask"]?.inputs?.["file"]).toBe("uploads/other.png");
    expect(withMask(painted, mask, "x.png").nodes?.["photo_mask"]?.inputs?.["file"]).toBe("x.png");
  });

  it("does not take a picture that is used otherwise for a mask", () => {
    expect(isMask(GRAPH, PICTURE)).toBe(false);
    expect(maskOf(GRAPH, PICTURE)).toBeUndefined();
  });
});
