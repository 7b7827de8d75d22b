import { type ReactNode, useLayoutEffect, useRef } from "react";

interface Props {
  /** What it stands beside. */
  readonly anchor: () => Element | null;
  readonly label?: string;
  readonly className?: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

const GAP = 4;
const LEAST_HEIGHT = 180;

/** A box above everything else, below or above its anchor; Escape and a click elsewhere close it. What is marked `data-first` has the focus. */
export function Popover({ anchor, label, className = "", onClose, children }: Props) {
  const element = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const box = element.current;
    const at = anchor()?.getBoundingClientRect();
    if (!box || !at) return;
    box.showPopover();
    const below = window.innerHeight - at.bottom - GAP * 2;
    const isBelow = below >= Math.min(box.scrollHeight, LEAST_HEIGHT) || below >= at.top;
    box.style.minWidth = `${at.width}px`;
    box.style.maxHeight = `${Math.max(120, isBelow ? below : at.top - GAP * 2)}px`;
    box.style.left = `${Math.max(GAP, Math.min(at.left, window.innerWidth - box.offsetWidth - GAP))}px`;
    if (isBelow) box.style.top = `${at.bottom + GAP}px`;
    else box.style.bottom = `${window.innerHeight - at.top + GAP}px`;
    box.querySelector<HTMLElement>("[data-first]")?.focus({ preventScroll: true });
    const onToggle = (event: ToggleEvent) => event.newState === "closed" && onClose();
    box.addEventListener("toggle", onToggle);
    return () => box.removeEventListener("toggle", onToggle);
    // it stays where it opened
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  return (
    <div
      ref={element}
      popover="auto"
      role={label ? "group" : undefined}
      aria-label={label}
      className={`popover nodrag nopan nowheel nokey ${className}`}
    >
      {children}
    </div>
  );
}
