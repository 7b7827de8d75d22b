// How nodes are called on the canvas.
import type { NodeEntry } from "../graph/document";
import { CALLS, type Ports } from "../graph/ports";

/** The title that was given to a node, or a short one made from its type. */
export function nodeTitle(entry: NodeEntry, ports: Ports | undefined): string {
  if (entry.title) return entry.title;
  if (ports && CALLS.has(entry.type)) return ports.title;
  return shortTitle(entry.type, ports);
}

/** A type's id in words, such as "Apply LoRA"; names that titles and help spell with capitals are spelled so. */
export function shortTitle(id: string, ports?: Pick<Ports, "title" | "doc">): string {
  const beforeColon = ports?.title.match(/^([^:]{1,24}): /)?.[1];
  if (beforeColon) return beforeColon;
  const known = new Map<string, string>();
  for (const word of `${ports?.title ?? ""} ${ports?.doc ?? ""}`.match(/[A-Za-z0-9]*[A-Z][A-Za-z0-9]*/g) ?? []) {
    if (/^.+[A-Z]/.test(word)) known.set(word.toLowerCase(), word);
  }
  const words = id
    .slice(id.search(/[^.:/]+$/))
    .split("_")
    .map((word) => known.get(word) ?? word)
    .join(" ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
