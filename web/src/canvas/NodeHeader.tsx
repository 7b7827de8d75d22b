import { changeLayout, changeNode, tidy } from "../graph/edits";
import { CALLS } from "../graph/ports";
import { NodeStatus } from "../running/NodeStatus";
import { edit } from "../store/editor";
import { enterNode } from "../subgraphs/actions";
import { Socket } from "./Socket";
import { TitleField } from "./TitleField";
import type { NodeData } from "./model";
import { useCanvas } from "./state";

interface Props {
  readonly id: string;
  readonly data: NodeData;
  readonly title: string;
}

const MODES = { bypass: "bypassed", mute: "muted" } as const;

export function NodeHeader({ id, data, title }: Props) {
  const { entry, name, ports, layout, graph } = data;
  const isRenaming = useCanvas((state) => state.renaming === id);
  const rename = (text: string) => {
    const next = text.trim() || undefined;
    edit("title", (each) => changeNode(each, name, (old) => tidy({ ...old, title: next })), { graph });
  };
  return (
    <header
      className="node-header"
      onDoubleClick={() => (CALLS.has(entry.type) ? enterNode(id) : useCanvas.setState({ renaming: id }))}
    >
      <button
        type="button"
        className="node-collapse nodrag"
        aria-label={layout.collapsed ? "Expand" : "Collapse"}
        aria-expanded={!layout.collapsed}
        tabIndex={-1}
        onDoubleClick={(event) => event.stopPropagation()}
        onClick={() =>
          edit("collapse", (each) => changeLayout(each, name, { collapsed: !layout.collapsed }), { graph })
        }
      />
      {isRenaming ? (
        <TitleField value={entry.title ?? ""} placeholder={title} onDone={rename} />
      ) : (
        <span className="node-title" title={ports && `${ports.title}\n${name} (${entry.type})`}>
          {title}
        </span>
      )}
      {entry.mode && <span className="node-mode">{MODES[entry.mode]}</span>}
      <NodeStatus id={id} graph={graph} name={name} />
      {layout.collapsed && ports && (
        <>
          {ports.inputs.map((each) => (
            <Socket key={each.name} id={id} port={each.name} side="input" type={each.type} />
          ))}
          {ports.outputs.map((each) => (
            <Socket key={each.name} id={id} port={each.name} side="output" type={each.type} />
          ))}
        </>
      )}
    </header>
  );
}
