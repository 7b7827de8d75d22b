import { type KeyboardEvent, useId, useState } from "react";

/** Arrow keys in a search field that mark one of a list of options, and Enter that picks it. `columns` is for grids. */
export function useListKeys(count: number, onPick: (index: number) => void, columns = 1) {
  const id = useId();
  const [wanted, setMarked] = useState(0);
  const marked = Math.min(wanted, count - 1);
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: columns,
    ArrowUp: -columns,
    ...(columns > 1 ? { ArrowRight: 1, ArrowLeft: -1 } : {}),
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = steps[event.key];
    if (by) setMarked(Math.min(count - 1, Math.max(0, marked + by)));
    else if (event.key === "Enter") onPick(marked);
    else return;
    event.preventDefault();
  };
  return {
    search: {
      onKeyDown,
      role: "combobox",
      "aria-expanded": true,
      "aria-controls": id,
      "aria-activedescendant": marked >= 0 ? `${id}-${marked}` : undefined,
    } as const,
    list: { id },
    option: (index: number) => ({
      id: `${id}-${index}`,
      className: index === marked ? "picker-marked" : undefined,
      onClick: () => onPick(index),
      onPointerMove: () => setMarked(index),
      ref: index === marked ? showMarked : undefined,
    }),
  };
}

function showMarked(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: "nearest" });
}
