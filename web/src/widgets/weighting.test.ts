import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Selection, weigh } from "./weighting";

/** A text whose selection stands between two bars, or the cursor at one. */
function marked(text: string): Selection {
  const start = text.indexOf("|");
  const end = text.lastIndexOf("|");
  return { text: text.replaceAll("|", ""), start, end: end === start ? start : end - 1 };
}

function shown({ text, start, end }: Selection): string {
  return `${text.slice(0, start)}|${text.slice(start, end)}|${text.slice(end)}`;
}

describe("weigh", () => {
  it.each([
    ["a r|ed fox", 0.1, "a (|red|:1.1) fox"],
    ["a |red fox|", 0.1, "a (|red fox|:1.1)"],
    ["a | red |fox", -0.1, "a  (|red|:0.9) fox"],
    ["a (|red|:1.1) fox", 0.1, "a (|red|:1.2) fox"],
    ["a (r|ed cat:1.1) fox", 0.1, "a (|red cat|:1.2) fox"],
    ["a |(red:1.1)| fox", -0.1, "a |red| fox"],
    ["a (|red|:1.05) fox", -0.05, "a |red| fox"],
    ["((|red|:1.1) fox:0.8)", 0.1, "((|red|:1.2) fox:0.8)"],
    ["(|fox|:0.05)", -0.1, "(|fox|:0)"],
    ["(a f|ox)", 0.1, "(a (|fox|:1.1))"],
    ["a  | fox", 0.1, "a  || fox"],
  ])("%s by %d is %s", (text, by, wanted) => expect(shown(weigh(marked(text), by))).toBe(wanted));

  it("up and down again gives the text back", () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(words, fc.nat(), (parts, place) => {
        const text = parts.join(" ");
        const at = place % (text.length + 1);
        const up = weigh({ text, start: at, end: at }, 0.05);
        expect(weigh(up, -0.05).text).toBe(text);
      }),
    );
  });
});
