import type { InputDefinition, Json } from "../api/types";
import { type GraphName, type Source, literalOf } from "../graph/document";
import { setInput } from "../graph/edits";
import { edit } from "../store/editor";

interface Props {
  readonly graph: GraphName;
  readonly node: string;
  readonly input: InputDefinition;
  readonly source: Source | undefined;
  readonly isWired: boolean;
}

/** The row of an input: its name, and unless a wire ends there, what is written into it. */
export function InputControl({ graph, node, input, source, isWired }: Props) {
  const value = literalOf(source) ?? input.default;
  const write = (next: Json | undefined) =>
    edit(`set ${input.name}`, (each) => setInput(each, { node, port: input.name }, next), {
      graph,
      merge: `set ${graph}/${node}.${input.name}`,
    });
  return (
    <label className="control" title={input.doc}>
      <span className="control-name">{input.name}</span>
      {!isWired && input.type.kind === "str" && (
        <input value={typeof value === "string" ? value : ""} onChange={(event) => write(event.target.value)} />
      )}
    </label>
  );
}
