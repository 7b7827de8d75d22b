import type { Panel } from "../shell/Panels";
import { Library } from "./palette/Library";

export const CANVAS_PANELS: readonly Panel[] = [
  { id: "library", title: "Nodes", icon: "▤", side: "left", Content: Library },
];
