// Small pictures on buttons, drawn in the colour of the text.
import type { ReactNode } from "react";

function icon(content: ReactNode) {
  return (
    <svg
      className="widget-icon"
      viewBox="0 0 16 16"
      width="14"
      height="14"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {content}
    </svg>
  );
}

export const ICONS = {
  down: icon(<path d="M4 6.5 8 10.5 12 6.5" />),
  reset: icon(<path d="M3 3v4h4M3.4 7A5 5 0 1 1 3.2 9.6" />),
  dice: icon(
    <>
      <rect x="2.5" y="2.5" width="11" height="11" rx="2.5" />
      <path d="M5.6 5.6h.01M10.4 5.6h.01M8 8h.01M5.6 10.4h.01M10.4 10.4h.01" strokeWidth="2" />
    </>,
  ),
  fixed: icon(
    <>
      <rect x="3.5" y="7" width="9" height="6.5" rx="1.5" />
      <path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2" />
    </>,
  ),
  random: icon(<path d="M2 5h2.5l6 6H14M12 9l2 2-2 2M2 11h2.5l1.6-1.6M9 6.5 10.5 5H14M12 3l2 2-2 2" />),
  increment: icon(<path d="M8 13V3M4 7l4-4 4 4" />),
  plus: icon(<path d="M8 3v10M3 8h10" />),
  remove: icon(<path d="m4 4 8 8M12 4l-8 8" />),
  picture: icon(
    <>
      <rect x="2" y="3" width="12" height="10" rx="2" />
      <path d="m2.5 11.5 3.5-4 2.8 3 1.7-1.8 3 3M10.6 6.2h.01" />
    </>,
  ),
  upload: icon(<path d="M8 10.5v-8M5 5.5l3-3 3 3M2.5 10.5v2a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1v-2" />),
  brush: icon(
    <path d="M13.5 2.5c-2 .6-6 4-7.2 6.2l1 1c2.2-1.2 5.6-5.2 6.2-7.2ZM6 9.2c-2 0-2 2.3-3.5 3.3 1.8 1 4.6.6 4.6-2.2" />,
  ),
  cube: icon(<path d="m8 2 5.5 3v6L8 14l-5.5-3V5L8 2ZM2.7 5.1 8 8l5.3-2.9M8 8v6" />),
} as const;
