import type { Panel } from "../shell/Panels";
import { Inspector } from "./inspector/Inspector";

export const WIDGET_PANELS: readonly Panel[] = [
  { id: "inspector", title: "Properties", icon: "⚙", side: "right", Content: Inspector },
];
