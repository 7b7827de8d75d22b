// Every command of the editor; each feature adds its own.
import { CANVAS_COMMANDS } from "../canvas/commands";
import { SUBGRAPH_COMMANDS } from "../subgraphs/commands";
import { FILE_COMMANDS } from "../files/commands";
import { RUN_COMMANDS } from "../running/commands";
import type { Command } from "./commands";
import { EDIT_COMMANDS, pageCommands } from "./pageCommands";

export const COMMANDS: readonly Command[] = [
  ...FILE_COMMANDS,
  ...EDIT_COMMANDS,
  ...CANVAS_COMMANDS,
  ...SUBGRAPH_COMMANDS,
  ...RUN_COMMANDS,
  ...pageCommands(() => COMMANDS),
];
