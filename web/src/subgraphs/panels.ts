import type { Panel } from "../shell/Panels";
import { GraphsPanel } from "./GraphsPanel";

export const SUBGRAPH_PANELS: readonly Panel[] = [
  { id: "graphs", title: "Graphs of this workflow", icon: "▣", side: "left", Content: GraphsPanel },
];
