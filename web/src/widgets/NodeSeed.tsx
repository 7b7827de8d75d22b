import { type GraphName, graphOf, place } from "../graph/document";
import { setSeedMode } from "../graph/seeds";
import { edit, useEditor, useTab } from "../store/editor";
import { seedKey, useSeedHistory } from "../store/seeds";
import { SeedField } from "./SeedField";
import type { FieldProps } from "./field";

interface Props extends FieldProps {
  readonly graph: GraphName;
  readonly node: string;
  readonly port: string;
}

const NONE: readonly number[] = [];

/** The seed of a node: how it changes stands in the layout of its graph. */
export function NodeSeed({ graph, node, port, ...field }: Props) {
  const at = place(node, port);
  const mode = useTab((tab) => graphOf(tab.document, graph).layout?.seeds?.[at] ?? "fixed");
  const tab = useEditor((state) => state.active);
  const history = useSeedHistory((state) => state[seedKey(tab, graph, at)] ?? NONE);
  const control = {
    mode,
    history,
    onMode: (next: typeof mode) =>
      edit("change how a seed changes", (each) => setSeedMode(each, { node, port }, next), { graph }),
  };
  return <SeedField {...field} control={control} />;
}
