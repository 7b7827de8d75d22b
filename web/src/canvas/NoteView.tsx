import { NodeResizer, type NodeProps } from "@xyflow/react";
import { type CSSProperties, memo } from "react";
import { changeNote } from "../graph/boxes";
import { edit } from "../store/editor";
import { chosenColour } from "./colours";
import type { NoteNode } from "./model";
import "./boxes.css";

/** A text on the canvas. */
export const NoteView = memo(
  function NoteView({ data: { note, graph }, selected }: NodeProps<NoteNode>) {
    return (
      <section
        className="note"
        data-selected={selected ? "" : undefined}
        style={{ "--tint": chosenColour(note.colour) } as CSSProperties}
        aria-label="Note"
      >
        <NodeResizer
          isVisible={selected}
          minWidth={100}
          minHeight={60}
          onResizeEnd={(_event, { x, y, width, height }) =>
            edit("resize", (each) => changeNote(each, note.id, { x, y, width, height }), { graph })
          }
        />
        <div className="note-grip" />
        <textarea
          className="nodrag nowheel"
          aria-label="Text of the note"
          placeholder="Write a note"
          value={note.text}
          onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
          onChange={(event) => {
            const text = event.target.value;
            edit("note", (each) => changeNote(each, note.id, { text }), { graph, merge: `note ${note.id}` });
          }}
        />
      </section>
    );
  },
  (a, b) => a.data === b.data && a.selected === b.selected,
);
