import { memo, useCallback } from "react";
import type { InputDefinition, Json } from "../api/types";
import { type GraphName, type Source, literalOf, wiresOf } from "../graph/document";
import { setInput } from "../graph/edits";
import { edit } from "../store/editor";
import { useInputDefect } from "../store/defects";
import { Control } from "./Control";
import { FieldProblem } from "./FieldProblem";
import { NodeSeed } from "./NodeSeed";
import { type FieldProps, shownName } from "./field";
import { fieldKind } from "./kinds";
import { PaintButton } from "./paint/PaintButton";

interface Props {
  readonly graph: GraphName;
  readonly node: string;
  readonly input: InputDefinition;
  readonly source: Source | undefined;
  readonly isWired: boolean;
  readonly roomy?: boolean;
}

/** The row of an input: its name, and what is written into it or where a wire brings it from. */
export const InputControl = memo(function InputControl({ graph, node, input, source, isWired, roomy = false }: Props) {
  const write = useCallback(
    (value: Json | undefined) =>
      edit(`set ${input.name}`, (each) => setInput(each, { node, port: input.name }, value), {
        graph,
        merge: `set ${graph}/${node}.${input.name}`,
      }),
    [graph, node, input.name],
  );
  const defect = useInputDefect(graph, node, input.name);
  const canWrite = fieldKind(input.type, input.widget) !== "none";
  if (isWired || !canWrite) {
    return <WiredName input={input} source={source} roomy={roomy} isShown={roomy || canWrite} defect={defect} />;
  }
  return (
    <Control
      input={input}
      value={literalOf(source)}
      roomy={roomy}
      error={defect || null}
      extra={
        fieldKind(input.type, input.widget) === "picture" &&
        source !== undefined && <PaintButton graph={graph} end={{ node, port: input.name }} />
      }
      seed={(field: FieldProps) => <NodeSeed {...field} graph={graph} node={node} port={input.name} />}
      onChange={write}
    />
  );
});

interface WiredProps {
  readonly input: InputDefinition;
  readonly source: Source | undefined;
  /** Whether it says where the value comes from; on the canvas the wire does, unless something could be written. */
  readonly isShown: boolean;
  readonly roomy: boolean;
  readonly defect: string;
}

function WiredName({ input, source, roomy, isShown, defect }: WiredProps) {
  const from = wiresOf(source).map((each) => each.from);
  const isMissing = input.required && from.length === 0;
  return (
    <div
      className="control control-wired"
      data-required={isMissing || undefined}
      data-wrong={defect !== "" || undefined}
    >
      <span className="control-name" title={input.doc}>
        {shownName(input.name)}
      </span>
      {isShown && (
        <span className="control-source" title={from.join(", ")}>
          {from.length > 1 ? `${from.length} wires` : (from[0] ?? (input.required ? "needs a wire" : "no wire"))}
        </span>
      )}
      <FieldProblem text={defect || null} />
      {roomy && input.doc && <p className="control-help">{input.doc}</p>}
    </div>
  );
}
