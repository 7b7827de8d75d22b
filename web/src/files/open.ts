// Bringing workflows into tabs: from the server, from templates and from files of this computer.
import { type SavedWorkflow, loadTemplate, loadWorkflow } from "../api/workflows";
import { type Document, EMPTY } from "../graph/document";
import { type Tab, openTab, showTab, useEditor } from "../store/editor";

/** Show a saved workflow; one that is open already is not opened twice. */
export async function openSaved(name: string): Promise<Tab> {
  const open = useEditor.getState().tabs.find((each) => each.file?.name === name);
  if (open) {
    showTab(open.id);
    return open;
  }
  const { workflow, version } = await loadWorkflow(name);
  return openTab(workflow, { name, version });
}

/** Show an old version as a workflow that is not saved yet. */
export async function openVersion(name: string, version: number): Promise<Tab> {
  const { workflow }: SavedWorkflow = await loadWorkflow(name, version);
  return openTab(workflow);
}

export async function openTemplate(name: string): Promise<Tab> {
  return openTab(await loadTemplate(name));
}

export function openEmpty(): Tab {
  return openTab(EMPTY);
}

/** A document in a text. Raises an error that says why there is none. */
export function parseDocument(text: string): Document {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw new Error(`it is no JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const format = typeof found === "object" && found !== null && "format" in found ? found.format : undefined;
  if (typeof format === "string" && format.startsWith("nodegraph/")) return found as Document;
  if (typeof found === "object" && found !== null && ("last_node_id" in found || "links" in found)) {
    throw new Error("it is a workflow of ComfyUI, which has another format");
  }
  throw new Error('it is no workflow: the field "format" with "nodegraph/1" is missing');
}

/** Show a workflow file of this computer. */
export async function openFile(file: File): Promise<Tab> {
  return openTab(parseDocument(await file.text()));
}
