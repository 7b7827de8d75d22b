// Pictures and model files that the server has.
import { path, request, url } from "./http";
import type { Schemas } from "./types";

export type InputPicture = Schemas["InputFile"];

export type ModelFile = Schemas["ModelEntry"];

export type Uploaded = Schemas["Upload"];

export async function inputPictures(signal?: AbortSignal): Promise<readonly InputPicture[]> {
  const answer = await request<{ files: readonly InputPicture[] }>("GET", "/inputs", signal ? { signal } : {});
  return answer.files;
}

export async function modelFiles(kind: string, signal?: AbortSignal): Promise<readonly ModelFile[]> {
  const options = { query: { kind }, ...(signal ? { signal } : {}) };
  return (await request<{ models: readonly ModelFile[] }>("GET", "/models", options)).models;
}

export function upload(content: Blob, name: string, kind: "image" | "mask" = "image"): Promise<Uploaded> {
  return request<Uploaded>("POST", "/uploads", { query: { name, kind }, body: content });
}

export function inputUrl(file: string): string {
  return url(path("inputs", file));
}

export function thumbnailUrl(file: string, size: number): string {
  return url(path("inputs", file, "thumbnail"), { size });
}
