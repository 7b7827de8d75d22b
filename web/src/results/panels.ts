import type { Panel } from "../shell/Panels";
import { GalleryPanel } from "./GalleryPanel";
import { LookPanel } from "./LookPanel";

export const RESULT_PANELS: readonly Panel[] = [
  { id: "gallery", title: "Pictures", icon: "▦", side: "right", Content: GalleryPanel },
  { id: "look", title: "Look", icon: "◉", side: "right", Content: LookPanel },
];
