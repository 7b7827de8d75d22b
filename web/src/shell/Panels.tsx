import type { ComponentType } from "react";
import { CANVAS_PANELS } from "../canvas/panels";
import { WIDGET_PANELS } from "../widgets/panels";
import { RESULT_PANELS } from "../results/panels";
import { RUN_PANELS } from "../running/panels";
import { SUBGRAPH_PANELS } from "../subgraphs/panels";
import { type Side, togglePanel, usePage } from "../store/layout";

/** A panel at a side of the page; each feature lists its own. */
export interface Panel {
  readonly id: string;
  readonly title: string;
  /** One character or emoji. */
  readonly icon: string;
  readonly side: Side;
  readonly Content: ComponentType;
}

const PANELS: readonly Panel[] = [
  ...CANVAS_PANELS,
  ...WIDGET_PANELS,
  ...SUBGRAPH_PANELS,
  ...RUN_PANELS,
  ...RESULT_PANELS,
];

interface Props {
  readonly side: Side;
}

export function PanelBar({ side }: Props) {
  const open = usePage((state) => state.panels[side]);
  return (
    <nav className={`panel-bar panel-bar-${side}`} aria-label={`${side} panels`}>
      {PANELS.filter((each) => each.side === side).map(({ id, title, icon }) => (
        <button
          key={id}
          type="button"
          className="icon-button"
          aria-pressed={open === id}
          title={title}
          aria-label={title}
          onClick={() => togglePanel(side, id)}
        >
          {icon}
        </button>
      ))}
    </nav>
  );
}

export function OpenPanel({ side }: Props) {
  const open = usePage((state) => state.panels[side]);
  const panel = PANELS.find((each) => each.side === side && each.id === open);
  if (!panel) return null;
  return (
    <aside className={`panel panel-${side}`} aria-label={panel.title}>
      <h2>{panel.title}</h2>
      <panel.Content />
    </aside>
  );
}
