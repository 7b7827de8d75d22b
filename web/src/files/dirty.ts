import type { Document } from "../graph/document";
import { type Tab } from "../store/editor";

/** Whether a tab holds what is saved nowhere but in this browser. */
export function isDirty(tab: Tab): boolean {
  return tab.document !== tab.saved && !sameContent(tab.document, tab.saved);
}

const texts = new WeakMap<Document, string>();

function sameContent(a: Document, b: Document): boolean {
  return textOf(a) === textOf(b);
}

function textOf(document: Document): string {
  let text = texts.get(document);
  if (text === undefined) {
    text = JSON.stringify(document);
    texts.set(document, text);
  }
  return text;
}
