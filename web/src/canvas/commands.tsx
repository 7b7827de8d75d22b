// What can be done on the canvas, with its keys and menus.
import type { Command } from "../shell/commands";
import { addNote } from "../graph/boxes";
import { type Graph, type NodeMode, graphOf } from "../graph/document";
import { changeLayout, changeNode, tidy } from "../graph/edits";
import { activeTab, edit, select } from "../store/editor";
import { chosenNodes } from "../subgraphs/selection";
import { showPanel } from "../store/layout";
import { RenameNode } from "./RenameNode";
import { align, arrange, distribute, groupSelected, nudge } from "./arranging";
import { copied, copyByMenu, duplicate, pasteByMenu, removeSelected, selectAll } from "./clipboard";
import { chosenOf, noteId } from "./ids";
import { openMenuOfSelection } from "./menu/opening";
import { placeOfSelection, showNodes } from "./placing";
import { pointerOnCanvas, pointerOnScreen, useCanvas } from "./state";
import { openDialog } from "../shell/dialogs";
import { goToNextRegion, goToSockets, walk } from "./walking";

const hasChosen = () => activeTab().selected.size > 0;
const chosenNames = () => [...chosenOf(activeTab().selected).nodes];
const hasNodes = () => chosenNames().length > 0;
const hasOneNode = () => chosenNames().length === 1;
const hasSeveral = () => activeTab().selected.size > 1;

const EDITING: readonly Command[] = [
  {
    id: "add-node",
    title: "Add a node",
    group: "Edit",
    keys: ["Tab"],
    menu: ["canvas"],
    run: () => useCanvas.setState({ palette: { screen: pointerOnScreen(), at: pointerOnCanvas() } }),
    isEnabled: () => isOnCanvas() && !isInNode(),
  },
  {
    id: "library",
    title: "Show the node library",
    group: "View",
    keys: ["N"],
    run: () => showPanel("left", "library"),
  },
  {
    id: "add-note",
    title: "Add a note",
    group: "Edit",
    keys: ["Shift+N"],
    menu: ["canvas"],
    run: () => {
      const note = { id: crypto.randomUUID().slice(0, 8), text: "", colour: "amber", width: 220, height: 120 } as const;
      const { x, y } = pointerOnCanvas();
      edit("add note", (graph) => addNote(graph, { ...note, x: Math.round(x), y: Math.round(y) }));
      select([noteId(note.id)]);
    },
  },
  {
    id: "rename",
    title: "Change the title",
    group: "Edit",
    keys: ["F2"],
    menu: ["node", "group"],
    isEnabled: () => activeTab().selected.size === 1 && chosenOf(activeTab().selected).wires.size === 0,
    run: () => useCanvas.setState({ renaming: [...activeTab().selected][0] ?? null }),
  },
  {
    id: "rename-node",
    title: "Change the name in the file",
    group: "Edit",
    menu: ["node"],
    isEnabled: hasOneNode,
    run: () => openDialog({ title: "Name in the file", content: <RenameNode id={chosenNames()[0] ?? ""} /> }),
  },
  {
    id: "cut",
    title: "Cut",
    group: "Edit",
    keys: ["Mod+X"],
    isNative: true,
    menu: ["node", "group", "note"],
    isEnabled: hasChosen,
    run: () => void copyByMenu().then(() => removeSelected("cut")),
  },
  {
    id: "copy",
    title: "Copy",
    group: "Edit",
    keys: ["Mod+C"],
    isNative: true,
    menu: ["node", "group", "note"],
    isEnabled: () => copied() !== undefined,
    run: () => void copyByMenu(),
  },
  {
    id: "paste",
    title: "Paste",
    group: "Edit",
    keys: ["Mod+V"],
    isNative: true,
    menu: ["canvas"],
    run: () => void pasteByMenu(),
  },
  {
    id: "paste-wired",
    title: "Paste with the wires from outside",
    group: "Edit",
    keys: ["Mod+Shift+V"],
    isNative: true,
    run: () => void pasteByMenu(),
  },
  {
    id: "duplicate",
    title: "Duplicate",
    group: "Edit",
    keys: ["Mod+D"],
    menu: ["node", "group", "note"],
    isEnabled: hasChosen,
    run: duplicate,
  },
  {
    id: "delete",
    title: "Delete",
    group: "Edit",
    keys: ["Delete", "Backspace"],
    menu: ["node", "group", "note", "wire"],
    isEnabled: hasChosen,
    run: () => removeSelected(),
  },
  { id: "select-all", title: "Select all", group: "Edit", keys: ["Mod+A"], menu: ["canvas"], run: selectAll },
  {
    id: "select-none",
    title: "Select nothing",
    group: "Edit",
    keys: ["Escape"],
    isEnabled: hasChosen,
    run: () => select([]),
  },
];

const NODES: readonly Command[] = [
  {
    id: "bypass",
    title: "Bypass, or not",
    group: "Graph",
    keys: ["Mod+B"],
    menu: ["node"],
    isEnabled: hasNodes,
    run: () => toggleMode("bypass"),
  },
  {
    id: "mute",
    title: "Mute, or not",
    group: "Graph",
    keys: ["Mod+M"],
    menu: ["node"],
    isEnabled: hasNodes,
    run: () => toggleMode("mute"),
  },
  {
    id: "collapse",
    title: "Collapse, or expand",
    group: "Graph",
    keys: ["Alt+C"],
    menu: ["node"],
    isEnabled: hasNodes,
    run: () => {
      const { graph, names } = chosenNodes();
      const { layout } = graphOf(activeTab().document, graph);
      const collapsed = ![...names].every((each) => layout?.nodes?.[each]?.collapsed);
      const change = (old: Graph) => [...names].reduce((left, name) => changeLayout(left, name, { collapsed }), old);
      edit("collapse", change, { graph });
    },
  },
  {
    id: "group",
    title: "Group",
    group: "Graph",
    keys: ["Mod+G"],
    menu: ["node", "note"],
    isEnabled: hasChosen,
    run: groupSelected,
  },
  {
    id: "arrange",
    title: "Arrange the selection, or all",
    group: "Graph",
    keys: ["Shift+L"],
    menu: ["canvas", "node"],
    run: () => void arrange(),
  },
  aligning("left", "Align left edges"),
  aligning("right", "Align right edges"),
  aligning("top", "Align upper edges", ["Shift+T"]),
  aligning("bottom", "Align lower edges"),
  aligning("centre", "Align centres in a column"),
  aligning("middle", "Align middles in a row"),
  {
    id: "distribute-x",
    title: "Make gaps in the row equal",
    group: "Graph",
    isEnabled: hasSeveral,
    run: () => distribute("x"),
  },
  {
    id: "distribute-y",
    title: "Make gaps in the column equal",
    group: "Graph",
    isEnabled: hasSeveral,
    run: () => distribute("y"),
  },
  ...(["Left", "Right", "Up", "Down"] as const).flatMap((each) => nudging(each)),
];

const WALKING: readonly Command[] = [
  ...(["left", "right", "up", "down"] as const).map((way) => ({
    id: `walk-${way}`,
    title: `Go to the next node ${way === "left" || way === "right" ? `on the ${way}` : `further ${way}`}`,
    group: "View" as const,
    keys: [`Alt+Arrow${way.charAt(0).toUpperCase()}${way.slice(1)}`],
    isEnabled: isOnCanvas,
    run: () => walk(way),
  })),
  {
    id: "sockets",
    title: "Go to the sockets of the node; there arrows move, Enter draws a wire, Delete removes it",
    group: "Edit",
    keys: ["S"],
    isEnabled: () => hasOneNode() && isOnCanvas() && !isInNode(),
    run: goToSockets,
  },
  {
    id: "next-region",
    title: "Go to the next part of the page",
    group: "View",
    keys: ["F6"],
    inTexts: true,
    run: goToNextRegion,
  },
];

function aligning(to: Parameters<typeof align>[0], title: string, keys?: readonly string[]): Command {
  const command = { id: `align-${to}`, title, group: "Graph", isEnabled: hasSeveral, run: () => align(to) } as const;
  return keys ? { ...command, keys } : command;
}

function nudging(way: "Left" | "Right" | "Up" | "Down"): Command[] {
  const x = way === "Left" ? -1 : way === "Right" ? 1 : 0;
  const y = way === "Up" ? -1 : way === "Down" ? 1 : 0;
  const isEnabled = () => hasChosen() && isOnCanvas();
  const [id, title] = [`nudge-${way.toLowerCase()}`, `Move the selection ${way.toLowerCase()}`];
  const small = {
    id,
    title,
    group: "Graph",
    keys: [`Arrow${way}`],
    isEnabled,
    run: () => nudge(10 * x, 10 * y),
  } as const;
  return [
    small,
    {
      ...small,
      id: `${id}-far`,
      title: `${title} by a lot`,
      keys: [`Shift+Arrow${way}`],
      run: () => nudge(50 * x, 50 * y),
    },
  ];
}

function isOnCanvas(): boolean {
  const focus = document.activeElement;
  return focus === document.body || (!!focus?.closest(".canvas") && !focus.matches(".socket, .palette *"));
}

/** Whether the focus is on a part of a node, among which Tab goes on. */
function isInNode(): boolean {
  return !!document.activeElement?.parentElement?.closest(".react-flow__node, .canvas-bar");
}

function toggleMode(mode: NodeMode): void {
  const { graph, names } = chosenNodes();
  const { nodes } = graphOf(activeTab().document, graph);
  const next = [...names].every((each) => nodes?.[each]?.mode === mode) ? undefined : mode;
  const change = (left: Graph, name: string) => changeNode(left, name, (old) => tidy({ ...old, mode: next }));
  edit(mode, (old) => [...names].reduce(change, old), { graph });
}

const VIEW: readonly Command[] = [
  {
    id: "context-menu",
    title: "What can be done with the selection",
    group: "Edit",
    keys: ["Shift+F10", "ContextMenu"],
    isEnabled: isOnCanvas,
    run: () => openMenuOfSelection(placeOfSelection()),
  },
  { id: "show-all", title: "Show everything", group: "View", keys: ["."], menu: ["canvas"], run: () => showNodes() },
  {
    id: "show-selection",
    title: "Show the selection",
    group: "View",
    keys: ["F"],
    menu: ["node", "group"],
    isEnabled: hasChosen,
    run: () => showNodes(activeTab().selected),
  },
  {
    id: "zoom-in",
    title: "Zoom in",
    group: "View",
    keys: ["+", "="],
    run: () => void useCanvas.getState().flow?.zoomIn(),
  },
  {
    id: "zoom-out",
    title: "Zoom out",
    group: "View",
    keys: ["-"],
    run: () => void useCanvas.getState().flow?.zoomOut(),
  },
];

export const CANVAS_COMMANDS: readonly Command[] = [...EDITING, ...NODES, ...WALKING, ...VIEW];
