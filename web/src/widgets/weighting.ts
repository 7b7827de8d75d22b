// Weights in prompts, written as "(text:1.1)": the keys that change them, as a pure function.

export interface Selection {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const WEIGHT = /^\(([\s\S]*):(-?\d*\.?\d+)\)$/;
const LEAST = 0;

/** The weight of the selection, or of the word at the cursor, changed by `by`; at 1 its brackets go away. */
export function weigh({ text, start, end }: Selection, by: number): Selection {
  const chosen = start === end ? wordAt(text, start) : trimmed(text, start, end);
  if (chosen.start === chosen.end) return { text, start, end };
  const outer = weighted(text, chosen.start, chosen.end);
  const body = outer?.body ?? text.slice(chosen.start, chosen.end);
  const place = outer ?? chosen;
  const weight = Math.max(LEAST, Math.round(((outer?.weight ?? 1) + by) * 100) / 100);
  const isPlain = weight === 1;
  const written = isPlain ? body : `(${body}:${weight})`;
  const from = place.start + (isPlain ? 0 : 1);
  return {
    text: text.slice(0, place.start) + written + text.slice(place.end),
    start: from,
    end: from + body.length,
  };
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function trimmed(text: string, start: number, end: number): Range {
  const chosen = text.slice(start, end);
  const from = start + chosen.length - chosen.trimStart().length;
  return { start: from, end: Math.max(from, end - (chosen.length - chosen.trimEnd().length)) };
}

function wordAt(text: string, at: number): Range {
  const isWord = (index: number) => /[\p{L}\p{N}_'-]/u.test(text[index] ?? "");
  let [start, end] = [at, at];
  while (start > 0 && isWord(start - 1)) start -= 1;
  while (isWord(end)) end += 1;
  return { start, end };
}

/** The weighted group that a range is, or that is right around it. */
function weighted(text: string, start: number, end: number): (Range & { body: string; weight: number }) | undefined {
  const whole = WEIGHT.exec(text.slice(start, end));
  if (whole) return { start, end, body: whole[1] ?? "", weight: Number(whole[2]) };
  const [from, to] = [groupStart(text, start), groupEnd(text, end)];
  const around = from >= 0 && to > 0 ? WEIGHT.exec(text.slice(from, to)) : null;
  return around ? { start: from, end: to, body: around[1] ?? "", weight: Number(around[2]) } : undefined;
}

/** The bracket that is open at a place; -1 where none is. */
function groupStart(text: string, at: number): number {
  let depth = 0;
  for (let index = at - 1; index >= 0; index -= 1) {
    if (text[index - 1] === "\\") continue;
    if (text[index] === ")") depth += 1;
    else if (text[index] === "(" && depth-- === 0) return index;
  }
  return -1;
}

/** Where the bracket that is open at a place is closed; 0 where it is not. */
function groupEnd(text: string, at: number): number {
  let depth = 0;
  for (let index = at; index < text.length; index += 1) {
    if (text[index - 1] === "\\") continue;
    if (text[index] === "(") depth += 1;
    else if (text[index] === ")" && depth-- === 0) return index + 1;
  }
  return 0;
}
