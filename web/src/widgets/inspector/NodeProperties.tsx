import { useMemo } from "react";
import { type GraphName, graphOf, wiresOf } from "../../graph/document";
import { changeNode, renameNode, tidy } from "../../graph/edits";
import type { NodeEntry } from "../../graph/document";
import { nameProblem } from "../../graph/declared";
import { labelOf } from "../../graph/labels";
import { CALLS, type Ports, portsOf } from "../../graph/ports";
import { useDefinitions } from "../../store/definitions";
import { edit, select, useTab } from "../../store/editor";
import { InputControl } from "../InputControl";
import { fieldKind } from "../kinds";
import { DeclaredSwitch } from "./DeclaredSwitch";
import { OutputRow } from "./OutputRow";
import { TextRow } from "./TextRow";

interface Props {
  readonly graph: GraphName;
  readonly name: string;
}

/** All of a node: what it is for, its inputs with their full help, its outputs, and what it is called. */
export function NodeProperties({ graph, name }: Props) {
  const document = useTab((tab) => tab.document);
  const definitions = useDefinitions((state) => state.byId);
  const entry = graphOf(document, graph).nodes?.[name];
  const ports = useMemo(() => entry && portsOf(document, entry, definitions), [document, entry, definitions]);
  if (!entry) return null;
  return (
    <div className="inspector">
      <Names graph={graph} name={name} entry={entry} ports={ports} />
      {ports && !CALLS.has(entry.type) && <p className="inspector-lead">{ports.title}</p>}
      {ports?.doc && <p className="inspector-doc">{paragraphs(ports.doc)}</p>}
      {!ports && <p className="field-problem">No installed pack has {entry.type}.</p>}
      {ports && ports.inputs.length > 0 && (
        <section>
          <h3>Inputs</h3>
          {ports.inputs.map((input) => {
            const source = entry.inputs?.[input.name];
            const isWired = wiresOf(source).length > 0;
            return (
              <div className="inspector-input" key={input.name}>
                <InputControl graph={graph} node={name} input={input} source={source} isWired={isWired} roomy />
                {!isWired && (graph !== "" || fieldKind(input.type, input.widget) !== "none") && (
                  <DeclaredSwitch graph={graph} node={name} input={input} />
                )}
              </div>
            );
          })}
        </section>
      )}
      {ports && ports.outputs.length > 0 && (
        <section>
          <h3>Outputs</h3>
          {ports.outputs.map((output) => (
            <OutputRow key={output.name} graph={graph} node={name} output={output} />
          ))}
        </section>
      )}
      <About entry={entry} />
    </div>
  );
}

interface NamesProps extends Props {
  readonly entry: NodeEntry;
  readonly ports: Ports | undefined;
}

function Names({ graph, name, entry, ports }: NamesProps) {
  const shown = useTab((tab) => graphOf(tab.document, graph));
  const rename = (next: string) => {
    edit("rename a node", (each) => renameNode(each, name, next), { graph });
    select([next]);
  };
  return (
    <section className="inspector-names-of">
      <TextRow
        label="Title"
        value={entry.title ?? ""}
        placeholder={ports && CALLS.has(entry.type) ? ports.title : labelOf(entry.type)}
        onChange={(title) =>
          edit(
            "change a title",
            (each) => changeNode(each, name, (old) => tidy({ ...old, title: title || undefined })),
            {
              graph,
              merge: `title ${graph}/${name}`,
            },
          )
        }
      />
      <TextRow label="Name" value={name} problem={(text) => nameProblem(shown, name, text)} onSettle={rename} />
    </section>
  );
}

function About({ entry }: { readonly entry: NodeEntry }) {
  const found = useDefinitions((state) => state.byId.get(entry.type));
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["Type", entry.graph ? `${entry.type} ${entry.graph}` : entry.type],
    [
      "Version",
      entry.version && entry.version !== found?.version
        ? `${entry.version}, installed ${found?.version}`
        : found?.version,
    ],
    ["Category", found?.category],
    ["Pack", found?.pack],
  ];
  return (
    <dl className="inspector-about">
      {facts.map(
        ([title, value]) =>
          value && (
            <div key={title}>
              <dt>{title}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

/** Line breaks of the source inside a paragraph are no breaks for the reader. */
function paragraphs(doc: string): string {
  return doc.replace(/([^\n])\n(?!\n)/g, "$1 ").replaceAll("`", "");
}
