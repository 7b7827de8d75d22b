import { useState } from "react";
import type { GraphName } from "../graph/document";
import { changeGraph, removePort, renamePort, shiftPort } from "../graph/interface";
import { Icon } from "../theme/Icon";
import { editDocument } from "../store/editor";

interface Props {
  readonly graph: GraphName;
  readonly side: "inputs" | "outputs";
  readonly name: string;
}

/** The name of a declared input or output, to be written over; Alt and the arrow keys move it up and down. */
export function PortName({ graph, side, name }: Props) {
  const [text, setText] = useState<string | null>(null);
  const finish = () => {
    const wanted = text?.trim();
    setText(null);
    if (wanted && wanted !== name) editDocument("rename", (old) => renamePort(old, graph, side, name, wanted));
  };
  const shift = (by: number) =>
    editDocument("reorder", (old) => changeGraph(old, graph, (each) => shiftPort(each, side, name, by)));
  return (
    <span className="port-name nodrag">
      <input
        value={text ?? name}
        aria-label={`Name of ${name}`}
        onChange={(event) => setText(event.target.value)}
        onBlur={finish}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
          else if (event.key === "Escape") setText(null);
          else if (event.altKey && event.key === "ArrowUp") shift(-1);
          else if (event.altKey && event.key === "ArrowDown") shift(1);
          else return;
          event.stopPropagation();
          event.preventDefault();
        }}
      />
      <button type="button" aria-label={`Move ${name} up`} title="Move up" onClick={() => shift(-1)}>
        <Icon name="up" size={11} />
      </button>
      <button
        type="button"
        aria-label={`Remove ${name}`}
        title="Remove"
        onClick={() => editDocument("remove", (old) => changeGraph(old, graph, (each) => removePort(each, side, name)))}
      >
        <Icon name="close" size={11} />
      </button>
    </span>
  );
}
