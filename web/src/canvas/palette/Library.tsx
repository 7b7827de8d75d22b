import { type KeyboardEvent, useMemo, useState } from "react";
import { tintOf } from "../colours";
import { pointerOnCanvas } from "../state";
import { addEntry } from "./add";
import { type PaletteEntry, search } from "./entries";
import { useEntries } from "./useEntries";
import "./library.css";

/** Every node by category; one is dragged onto the canvas, or added by Enter or a double click. */
export function Library() {
  const [text, setText] = useState("");
  const entries = useEntries();
  const groups = useMemo(() => {
    const found = text.trim() === "" ? [...entries].sort(byCategory) : search(entries, text, []);
    return Map.groupBy(found, (each) => each.category);
  }, [entries, text]);
  return (
    <div className="library">
      <input
        type="search"
        aria-label="Find in the library"
        placeholder="Find a node"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {}
      <ul role="tree" aria-label="Nodes by category" onKeyDown={onTreeKey}>
        {[...groups].map(([category, listed]) => (
          <Category key={category} category={category} entries={listed} isSearch={text !== ""} />
        ))}
      </ul>
      {groups.size === 0 && <p>No node is called that.</p>}
    </div>
  );
}

const byCategory = (a: PaletteEntry, b: PaletteEntry) =>
  a.category.localeCompare(b.category) || a.title.localeCompare(b.title);

interface CategoryProps {
  readonly category: string;
  readonly entries: readonly PaletteEntry[];
  readonly isSearch: boolean;
}

function Category({ category, entries, isSearch }: CategoryProps) {
  const [isToggled, setToggled] = useState(false);
  const isOpen = isSearch || isToggled;
  return (
    <li role="none">
      <button
        type="button"
        role="treeitem"
        aria-expanded={isOpen}
        aria-selected="false"
        className="library-category"
        onClick={() => setToggled(!isToggled)}
      >
        <i style={{ background: tintOf(category) }} />
        {category}
        <small>{entries.length}</small>
      </button>
      {isOpen && (
        <ul role="group">
          {entries.map((each) => (
            <li key={each.id} role="none">
              <button
                type="button"
                role="treeitem"
                aria-selected="false"
                className="library-node"
                title={each.doc}
                draggable
                onDragStart={(event) => event.dataTransfer.setData("application/x-nodegraph", each.id)}
                onDoubleClick={() => addEntry(each, pointerOnCanvas())}
                onKeyDown={(event) => event.key === "Enter" && addEntry(each, pointerOnCanvas())}
              >
                {each.title}
              </button>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

/** Arrow keys walk through the tree, left and right close and open a category. */
function onTreeKey(event: KeyboardEvent<HTMLElement>): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("[role=treeitem]")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const current = items[at];
  const isOpen = current?.getAttribute("aria-expanded");
  if (event.key === "ArrowDown") items[at + 1]?.focus();
  else if (event.key === "ArrowUp") items[at - 1]?.focus();
  else if ((event.key === "ArrowRight" && isOpen === "false") || (event.key === "ArrowLeft" && isOpen === "true")) {
    current?.click();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
