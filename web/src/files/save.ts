// Saving to the server and to this computer.
import { ApiError } from "../api/http";
import { loadWorkflow, saveWorkflow } from "../api/workflows";
import { activeTab, changeTab, openTab } from "../store/editor";
import { notify } from "../store/notices";

/** Somebody else saved the workflow since it was opened here. */
export class Conflict extends Error {
  override readonly name = "Conflict";
}

/** Write the active tab's document under a name. Raises Conflict when another version is there. */
export async function save(name: string, base: number | null): Promise<void> {
  const tab = activeTab();
  try {
    const { version } = await saveWorkflow(name, tab.document, base);
    changeTab(tab.id, (each) => ({ ...each, file: { name, version }, saved: tab.document }));
    notify(`Saved “${name}”`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) throw new Conflict(error.message, { cause: error });
    throw error;
  }
}

/** Write over what somebody else saved; theirs stays as a version. */
export async function overwrite(name: string): Promise<void> {
  const { version } = await loadWorkflow(name);
  await save(name, version);
}

/** Open what somebody else saved in a tab of its own. */
export async function openTheirs(name: string): Promise<void> {
  const { workflow } = await loadWorkflow(name);
  openTab(workflow);
}

/** Give the active tab's document to the browser as a file. */
export function exportFile(): void {
  const { document, file } = activeTab();
  const name = (file?.name ?? document.title ?? "workflow").split("/").at(-1) ?? "workflow";
  const blob = new Blob([`${JSON.stringify(document, null, 2)}\n`], { type: "application/json" });
  download(URL.createObjectURL(blob), `${name.replace(/[^\w .-]/g, "_")}.json`);
}

function download(url: string, name: string): void {
  const link = window.document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
