import { NodeResizer, type NodeProps } from "@xyflow/react";
import { type CSSProperties, memo } from "react";
import { changeGroup } from "../graph/boxes";
import { edit } from "../store/editor";
import { TitleField } from "./TitleField";
import { chosenColour } from "./colours";
import type { GroupNode } from "./model";
import { useCanvas } from "./state";
import "./boxes.css";

/** A coloured frame with a title; dragging its title moves the nodes inside. */
export const GroupView = memo(
  function GroupView({ id, data: { group, graph }, selected }: NodeProps<GroupNode>) {
    const isRenaming = useCanvas((state) => state.renaming === id);
    const rename = (title: string) => edit("title", (each) => changeGroup(each, group.id, { title }), { graph });
    return (
      <section
        className="frame"
        data-selected={selected ? "" : undefined}
        style={{ "--tint": chosenColour(group.colour) } as CSSProperties}
        aria-label={`Group ${group.title}`}
      >
        <NodeResizer
          isVisible={selected}
          minWidth={120}
          minHeight={80}
          onResizeEnd={(_event, { x, y, width, height }) =>
            edit("resize", (each) => changeGroup(each, group.id, { x, y, width, height }), { graph })
          }
        />
        <header className="frame-title" onDoubleClick={() => useCanvas.setState({ renaming: id })}>
          {isRenaming ? <TitleField value={group.title} placeholder="Group" onDone={rename} /> : group.title}
        </header>
      </section>
    );
  },
  (a, b) => a.data === b.data && a.selected === b.selected,
);
