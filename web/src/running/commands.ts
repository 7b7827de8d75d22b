import type { Command } from "../shell/commands";
import { showPanel } from "../store/layout";
import { hasLook, lookIntoSelected } from "../results/selectedLook";
import { cancelCurrent, hasTargets, run, runSelected, toggleQueue } from "./submit";

export const RUN_COMMANDS: readonly Command[] = [
  {
    id: "run",
    title: "Run",
    group: "Run",
    keys: ["Mod+Enter"],
    inTexts: true,
    menu: ["canvas"],
    run: () => void run(),
  },
  {
    id: "run-selected",
    title: "Run up to the selected nodes",
    group: "Run",
    keys: ["Mod+Shift+Enter"],
    isEnabled: hasTargets,
    menu: ["node"],
    run: runSelected,
  },
  {
    id: "look",
    title: "Look into its results",
    group: "Run",
    keys: ["Alt+L"],
    isEnabled: hasLook,
    menu: ["node", "wire"],
    run: lookIntoSelected,
  },
  {
    id: "show-pictures",
    title: "Show the pictures of all runs",
    group: "Run",
    run: () => showPanel("right", "gallery"),
  },
  {
    id: "cancel-run",
    title: "Cancel the current run",
    group: "Run",
    keys: ["Mod+Alt+Enter"],
    inTexts: true,
    run: cancelCurrent,
  },
  { id: "pause-queue", title: "Pause or resume the queue", group: "Run", run: toggleQueue },
  { id: "show-queue", title: "Show the queue", group: "Run", run: () => showPanel("right", "queue") },
  { id: "show-problems", title: "Show problems", group: "Run", run: () => showPanel("right", "problems") },
];
