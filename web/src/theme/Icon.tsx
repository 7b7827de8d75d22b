// Line icons on a 16 × 16 grid, in the colour of the text around them.

const PATHS = {
  run: "M5 3.2v9.6L13 8z",
  stop: "M4 4h8v8H4z",
  pause: "M5 3v10M11 3v10",
  queue: "M3 4h10M3 8h10M3 12h6",
  first: "M8 13V5M4.5 8.5 8 5l3.5 3.5M3.5 2.5h9",
  up: "M8 13V4M4 8l4-4 4 4",
  down: "M8 3v9M4 8l4 4 4-4",
  close: "M4 4l8 8M12 4l-8 8",
  retry: "M12.5 5.5A5 5 0 1 0 13 9M13 2.5v3.2H9.8",
  open: "M9 3h4v4M13 3 7.5 8.5M11 9.5V13H3V5h3.5",
  more: "M6 4l4 4-4 4",
  warning: "M8 2.2 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.2",
  check: "M3 8.5l3.2 3.2L13 5",
  cached: "M8.7 1.8 3.5 9h4l-.6 5.2L12.5 7h-4z",
  copy: "M6 6h7v7H6zM10 6V3H3v7h3",
  download: "M8 2.5v8M4.5 7 8 10.5 11.5 7M3 13.5h10",
  search: "M7 2.8a4.2 4.2 0 1 1 0 8.4 4.2 4.2 0 0 1 0-8.4M10.2 10.2l3.3 3.3",
  eye: "M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8M8 6.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6",
  hide: "M2 2l12 12M4.2 5.2C2.5 6.4 1.5 8 1.5 8S4 12.2 8 12.2c1.2 0 2.2-.3 3-.8M6.7 3.9C10.9 3.2 14.5 8 14.5 8s-.6 1-1.7 2.1",
  pin: "M6 2h4l-.5 4.5 2.5 2.5H4l2.5-2.5zM8 9v5",
  compare: "M8 2v12M3 4h3v8H3zM10 4h3v8h-3z",
  trash: "M3 4.5h10M6 4.5V2.8h4v1.7M4.5 4.5l.6 8.7h5.8l.6-8.7",
  info: "M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2M8 7.2v3.6M8 5v.2",
  enter: "M3 3.5h7.5v4M6 12.5h7v-5M3 3.5v9h3M6.5 9.5 9 12l-2.5 2.5",
  region: "M2.5 3h11v10h-11zM5 5.8h6v4.4H5z",
  fold: "M2.5 3h11v10h-11zM5.5 8h5",
  gallery: "M2.5 2.5h4.8v4.8H2.5zM8.7 2.5h4.8v4.8H8.7zM2.5 8.7h4.8v4.8H2.5zM8.7 8.7h4.8v4.8H8.7z",
} as const;

export type IconName = keyof typeof PATHS;

const FILLED: ReadonlySet<IconName> = new Set(["run", "stop", "cached"]);

interface Props {
  readonly name: IconName;
  readonly size?: number;
}

export function Icon({ name, size = 16 }: Props) {
  const isFilled = FILLED.has(name);
  return (
    <svg
      className="icon"
      viewBox="0 0 16 16"
      width={size}
      height={size}
      aria-hidden="true"
      fill={isFilled ? "currentColor" : "none"}
      stroke={isFilled ? "none" : "currentColor"}
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
