import type { Command } from "../shell/commands";
import { openDialog } from "../shell/dialogs";
import { activeTab } from "../store/editor";
import { ExposeDialog } from "./ExposeDialog";
import { ForEachDialog } from "./ForEachDialog";
import { enterChosen, leave, makeGraph, repeatThese, toggleEnds, unpackChosen } from "./actions";
import { toggleOpen } from "./inPlace";
import { within } from "./paths";
import { chosenCall, chosenNodes } from "./selection";

const hasChosen = () => chosenNodes().names.size > 0;
const hasCall = () => chosenCall() !== undefined;
const canUnpack = () => chosenCall()?.entry.type === "graph" && chosenCall()?.entry.mode !== "bypass";

/** Graphs, loops, and going in and out of them. */
export const SUBGRAPH_COMMANDS: readonly Command[] = [
  {
    id: "make-graph",
    title: "Make a graph of the selection",
    group: "Graph",
    keys: ["Mod+Shift+G"],
    menu: ["node"],
    isEnabled: hasChosen,
    run: makeGraph,
  },
  {
    id: "unpack-graph",
    title: "Unpack the graph",
    group: "Graph",
    keys: ["Mod+Shift+U"],
    menu: ["node"],
    isEnabled: canUnpack,
    run: unpackChosen,
  },
  {
    id: "for-each",
    title: "For each item of …",
    group: "Graph",
    keys: ["Mod+Shift+F"],
    menu: ["node"],
    isEnabled: hasChosen,
    run: () => openDialog({ title: "For each item", content: <ForEachDialog /> }),
  },
  {
    id: "repeat",
    title: "Repeat these",
    group: "Graph",
    keys: ["Mod+Shift+R"],
    menu: ["node"],
    isEnabled: hasChosen,
    run: repeatThese,
  },
  {
    id: "expose-inputs",
    title: "Expose inputs…",
    group: "Graph",
    keys: ["Mod+I"],
    menu: ["node"],
    isEnabled: () => chosenNodes().names.size === 1,
    run: () => {
      const { graph, names } = chosenNodes();
      const [node] = names;
      if (node !== undefined)
        openDialog({ title: "Expose inputs", content: <ExposeDialog graph={graph} node={node} /> });
    },
  },
  {
    id: "show-ends",
    title: "Show or hide the inputs and outputs of the workflow",
    group: "Graph",
    menu: ["canvas"],
    isEnabled: () => activeTab().trail.length === 0,
    run: toggleEnds,
  },
  {
    id: "open-graph",
    title: "Open or close the graph in place",
    group: "Graph",
    keys: ["Shift+Enter"],
    menu: ["node"],
    isEnabled: hasCall,
    run: () => {
      const call = chosenCall();
      if (call) void toggleOpen(within(call.region, call.node));
    },
  },
  {
    id: "enter-graph",
    title: "Enter the graph",
    group: "Graph",
    keys: ["Mod+ArrowDown"],
    menu: ["node"],
    isEnabled: hasCall,
    run: enterChosen,
  },
  {
    id: "leave-graph",
    title: "Leave the graph",
    group: "Graph",
    keys: ["Mod+ArrowUp", "Escape"],
    isEnabled: () => activeTab().trail.length > 0,
    run: leave,
  },
];
