import type { MouseEvent } from "react";
import { Icon, type IconName } from "./Icon";

interface Props {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: (event: MouseEvent) => void;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
}

/** A small button with an icon; its label is read out and shown on hovering. */
export function IconButton({ icon, label, onClick, disabled, pressed }: Props) {
  return (
    <button
      type="button"
      className="icon-button nodrag"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
