// Brings a job's workflow onto the canvas.
import { type Job, getRequest } from "../api/jobs";
import { openTab, showTab, useEditor } from "../store/editor";
import { notifyError } from "../store/notices";
import { showRun } from "../store/runs";
import { tabOf } from "./keys";
import { loadRun } from "./session";

/** Show how a job went: in the tab that sent it, or else in a new one. */
export function showJob(job: Job): void {
  const tab = tabOf(job);
  if (tab === null || !useEditor.getState().tabs.some((each) => each.id === tab)) return void openJob(job.id);
  showTab(tab);
  showRun(tab, job.id);
  void loadRun(job.id);
}

/** Open what a job was asked to do as a new workflow, with how it went. */
export async function openJob(id: string): Promise<void> {
  try {
    const { workflow, label } = await getRequest(id);
    const tab = openTab(label && !workflow.title ? { ...workflow, title: label } : workflow);
    showRun(tab.id, id);
    await loadRun(id);
  } catch (error) {
    notifyError("the workflow was not opened", error);
  }
}
