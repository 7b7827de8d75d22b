import type { Panel } from "../shell/Panels";
import { ProblemsPanel } from "./ProblemsPanel";
import { QueuePanel } from "./QueuePanel";

export const RUN_PANELS: readonly Panel[] = [
  { id: "queue", title: "Queue", icon: "☰", side: "right", Content: QueuePanel },
  { id: "problems", title: "Problems", icon: "⚠", side: "right", Content: ProblemsPanel },
];
