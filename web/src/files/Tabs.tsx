import { type KeyboardEvent, useRef } from "react";
import { type Tab, showTab, useEditor } from "../store/editor";
import { closeWithCare } from "./closing";
import { isDirty } from "./dirty";
import { openEmpty } from "./open";
import "./tabs.css";

/** The open workflows. Arrow keys go from one to the next, Delete closes one. */
export function Tabs() {
  const { tabs, active } = useEditor();
  const list = useRef<HTMLDivElement>(null);

  const onKey = (event: KeyboardEvent, tab: Tab) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Delete") closeWithCare(tab);
    if (!step) return;
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length] as Tab;
    showTab(next.id);
    list.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  };

  return (
    <div className="tabs">
      <div role="tablist" aria-label="Open workflows" ref={list}>
        {tabs.map((tab) => (
          <div key={tab.id} className={tab.id === active ? "tab tab-active" : "tab"} role="presentation">
            <button
              type="button"
              role="tab"
              data-tab={tab.id}
              aria-selected={tab.id === active}
              tabIndex={tab.id === active ? 0 : -1}
              title={tab.file ? `${tab.file.name}, version ${tab.file.version}` : "not saved yet"}
              onClick={() => showTab(tab.id)}
              onAuxClick={(event) => event.button === 1 && closeWithCare(tab)}
              onKeyDown={(event) => onKey(event, tab)}
            >
              {titleOf(tab)}
              {isDirty(tab) && <span className="tab-dirty" role="img" aria-label="changed" />}
            </button>
            <button
              type="button"
              className="tab-close"
              tabIndex={-1}
              aria-hidden="true"
              onClick={() => closeWithCare(tab)}
            >
              ✕
            </button>
          </div>
        ))}
      </div>
      <button type="button" className="icon-button" aria-label="New workflow" title="New workflow" onClick={openEmpty}>
        +
      </button>
    </div>
  );
}

function titleOf(tab: Tab): string {
  return tab.file?.name.split("/").at(-1) ?? (tab.document.title || "Untitled");
}
