import fuzzysort from "fuzzysort";
import { type KeyboardEvent, useId, useState } from "react";
import { autofocused } from "../widgets/autofocused";
import { type Command, shownKeys } from "./commands";
import { closeDialog } from "./dialogs";
import "./search.css";

/** Find a command by a few letters of its name. */
export function CommandSearch({ commands }: { readonly commands: readonly Command[] }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useId();
  const usable = commands.filter((each) => each.isEnabled?.() ?? true);
  const found = text ? fuzzysort.go(text, usable, { key: "title" }).map((each) => each.obj) : usable;
  const chosen = found[Math.min(at, found.length - 1)];

  const run = (command: Command | undefined) => {
    if (!command) return;
    closeDialog();
    command.run();
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter") run(chosen);
    else if (step) setAt((Math.min(at, found.length - 1) + step + found.length) % found.length);
    else return;
    event.preventDefault();
  };

  return (
    <div className="search">
      <input
        ref={autofocused}
        role="combobox"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={chosen && `${list}-${chosen.id}`}
        aria-label="Command"
        placeholder="What do you want to do?"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKey}
      />
      <ul id={list} role="listbox" aria-label="Commands">
        {found.map((each) => (
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- keys are heard by the field above
          <li
            key={each.id}
            id={`${list}-${each.id}`}
            role="option"
            aria-selected={each === chosen}
            onClick={() => run(each)}
          >
            <span>{each.title}</span>
            <small>{each.keys?.[0] ? shownKeys(each.keys[0]) : each.group}</small>
          </li>
        ))}
      </ul>
    </div>
  );
}
