import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { typeAt } from "../../graph/fitting";
import { describe } from "../../graph/portTypes";
import { useDefinitions } from "../../store/definitions";
import { activeTab } from "../../store/editor";
import { colourOf, tintOf } from "../colours";
import { ownerOf } from "../connecting";
import { type PaletteRequest, useCanvas } from "../state";
import { PaletteDoc } from "./PaletteDoc";
import { addEntry } from "./add";
import { type PaletteEntry, fittingEntries, search, socketEntries } from "./entries";
import { useRecent } from "./recent";
import { useEntries } from "./useEntries";
import "./palette.css";

/** Finds a node by a few letters and adds it; for a wire only those that fit it. */
export function Palette() {
  const request = useCanvas((state) => state.palette);
  return request && <OpenPalette key={`${request.screen.x} ${request.screen.y}`} request={request} />;
}

/** Close it and give the focus back. */
function closeTo(element: Element | null): void {
  useCanvas.setState({ palette: null });
  const isThere = element instanceof HTMLElement && element !== document.body && element.isConnected;
  const next = isThere ? element : document.querySelector<HTMLElement>(".canvas");
  next?.focus({ preventScroll: true });
}

const WIDTH = 620;
const HEIGHT = 420;

function OpenPalette({ request }: { readonly request: PaletteRequest }) {
  const { start, screen } = request;
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const root = useRef<HTMLDivElement>(null);
  const all = useEntries();
  const recent = useRecent((state) => state.ids);
  const definitions = useDefinitions((state) => state.byId);
  const type = useMemo(() => {
    if (!start) return undefined;
    const { graph, name } = ownerOf(start.node);
    return typeAt(activeTab().document, graph, { ...start, node: name }, definitions);
  }, [start, definitions]);
  const offered = useMemo(() => (start && type ? fittingEntries(all, start, type) : all), [all, start, type]);
  const sockets = useMemo(
    () => (start && request.sockets ? socketEntries(start, definitions) : []),
    [start, request.sockets, definitions],
  );
  const found = useMemo(() => {
    if (text.trim() === "") return [...sockets, ...search(offered, text, recent)];
    return search([...sockets, ...offered], text, recent);
  }, [sockets, offered, text, recent]);
  const current = found[Math.min(at, found.length - 1)];

  useEffect(() => {
    const onPointer = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) closeTo(null);
    };
    document.addEventListener("pointerdown", onPointer, true);
    return () => document.removeEventListener("pointerdown", onPointer, true);
  }, []);

  const back = useRef(document.activeElement);
  const close = () => closeTo(back.current);
  const choose = (entry: PaletteEntry) => {
    close();
    addEntry(entry, request.at, start);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    const step = steps[event.key];
    if (event.key === "Escape" || event.key === "Tab") close();
    else if (event.key === "Enter" && current) choose(current);
    else if (step) setAt(Math.max(0, Math.min(found.length - 1, Math.min(at, found.length - 1) + step)));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const left = Math.max(8, Math.min(screen.x, window.innerWidth - WIDTH - 8));
  const top = Math.max(8, Math.min(screen.y, window.innerHeight - HEIGHT - 8));
  return (
    <div ref={root} className="palette" role="dialog" aria-label="Add a node" style={{ left, top }}>
      <div className="palette-search">
        <input
          role="combobox"
          aria-label="Find a node"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={current && `${id} ${current.id}`}
          placeholder={start ? "Find a node that fits" : "Find a node"}
          ref={(element) => element?.focus()}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
        {type && (
          <span className="palette-type" style={{ color: colourOf(type) }}>
            {start?.side === "output" ? "takes" : "gives"} {describe(type)}
          </span>
        )}
      </div>
      <div className="palette-body">
        <ul id={id} role="listbox" aria-label="Nodes" className="palette-list">
          {found.map((entry) => (
            <Option
              key={entry.id}
              id={`${id} ${entry.id}`}
              entry={entry}
              isCurrent={entry === current}
              isRecent={text === "" && recent.includes(entry.id)}
              onHover={() => setAt(found.indexOf(entry))}
              onChoose={() => choose(entry)}
            />
          ))}
        </ul>
        {current ? <PaletteDoc entry={current} /> : <p className="palette-none">No node is called that.</p>}
      </div>
    </div>
  );
}

interface OptionProps {
  readonly id: string;
  readonly entry: PaletteEntry;
  readonly isCurrent: boolean;
  readonly isRecent: boolean;
  readonly onHover: () => void;
  readonly onChoose: () => void;
}

function Option({ id, entry, isCurrent, isRecent, onHover, onChoose }: OptionProps) {
  return (
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the text field above has the keys
    <li
      id={id}
      role="option"
      aria-selected={isCurrent}
      tabIndex={-1}
      className="palette-option"
      ref={(element) => {
        if (isCurrent) element?.scrollIntoView({ block: "nearest" });
      }}
      onPointerMove={() => !isCurrent && onHover()}
      onClick={onChoose}
    >
      <i style={{ background: tintOf(entry.category) }} />
      <span>{entry.title}</span>
      <small>{isRecent ? "used lately" : entry.category}</small>
    </li>
  );
}
