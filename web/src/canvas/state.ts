// What the canvas shows for the moment and no document knows: the wire that is drawn, the open palette or menu.
import type { ReactFlowInstance } from "@xyflow/react";
import { create } from "zustand";
import type { MenuPlace } from "../shell/commands";
import type { Point } from "../graph/document";
import type { Start } from "../graph/fitting";
import type { AnyNode, CanvasEdge } from "./model";

export interface PaletteRequest {
  /** Where it opens, in pixels of the page. */
  readonly screen: Point;
  /** Where the node goes, on the canvas. */
  readonly at: Point;
  /** The wire that the node is wanted for. */
  readonly start?: Start;
  /** Offer the sockets of the graph that the wire may end at, too. */
  readonly sockets?: boolean;
}

interface CanvasState {
  readonly flow: ReactFlowInstance<AnyNode, CanvasEdge> | null;
  /** So far zoomed out that nodes are drawn as plain boxes. */
  readonly far: boolean;
  readonly palette: PaletteRequest | null;
  readonly menu: { readonly place: MenuPlace; readonly screen: Point } | null;
  /** The node or group whose title is written. */
  readonly renaming: string | null;
  /** Nodes glide to their places for the moment. */
  readonly gliding: boolean;
  /** A rectangle is drawn to select what is in it. */
  readonly boxing: boolean;
  /** A graph was just opened and finds its places. */
  readonly busy: boolean;
}

export const useCanvas = create<CanvasState>(() => ({
  flow: null,
  far: false,
  palette: null,
  menu: null,
  renaming: null,
  gliding: false,
  boxing: false,
  busy: false,
}));

/** The wire that is being drawn, and every place that its other end fits. */
interface Drag {
  readonly start: Start | null;
  /** It is a wire that was there before, of which one end is moved. */
  readonly isMoved: boolean;
  readonly fits: ReadonlySet<string>;
}

const NO_DRAG: Drag = { start: null, isMoved: false, fits: new Set() };

export const useDrag = create<Drag>(() => NO_DRAG);

export function endDrag(): void {
  useDrag.setState(NO_DRAG);
}

interface Refusal extends Point {
  readonly text: string;
}

/** Why the last wire could not be drawn, shown for a while where it was dropped. */
export const useRefusal = create<{ readonly refusal: Refusal | null }>(() => ({ refusal: null }));

export function refuse(text: string, { x, y }: Point): void {
  const refusal = { text, x, y };
  useRefusal.setState({ refusal });
  setTimeout(() => useRefusal.setState((now) => (now.refusal === refusal ? { refusal: null } : now)), 6000);
}

/** Where the pointer was last, in pixels of the page. Nothing is drawn from it. */
export const usePointer = create<Point>(() => ({ x: 0, y: 0 }));

/** Where on the canvas the pointer is, or the middle of what is shown where it is elsewhere. */
export function pointerOnCanvas(): Point {
  const { flow } = useCanvas.getState();
  const screen = pointerOnScreen();
  return flow ? flow.screenToFlowPosition(screen, { snapToGrid: false }) : screen;
}

export function pointerOnScreen(): Point {
  const pointer = usePointer.getState();
  const area = document.querySelector(".canvas")?.getBoundingClientRect();
  if (!area) return pointer;
  const isInside =
    pointer.x >= area.left && pointer.x <= area.right && pointer.y >= area.top && pointer.y <= area.bottom;
  return isInside && pointer.x > 0 ? pointer : { x: area.left + area.width / 2, y: area.top + area.height / 3 };
}
