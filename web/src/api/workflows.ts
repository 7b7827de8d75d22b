// Saved workflows and templates on the server.
import type { Document } from "../graph/document";
import { path, request } from "./http";
import type { Schemas } from "./types";

export type WorkflowEntry = Schemas["WorkflowEntry"];

export type SavedWorkflow = Omit<Schemas["SavedWorkflow"], "workflow"> & { readonly workflow: Document };

export type Version = Schemas["WorkflowVersion"];

export type Template = Schemas["Template"];

export async function listWorkflows(): Promise<readonly WorkflowEntry[]> {
  const { workflows } = await request<{ workflows: WorkflowEntry[] }>("GET", "/workflows");
  return workflows;
}

export function loadWorkflow(name: string, version?: number): Promise<SavedWorkflow> {
  const of = version === undefined ? path("workflows", name) : path("workflows", name, "versions", version);
  return request("GET", of);
}

/** base: the version that the document was made from; null for a workflow that must not exist yet. */
export function saveWorkflow(name: string, workflow: Document, base: number | null): Promise<WorkflowEntry> {
  return request("PUT", path("workflows", name), { json: { workflow, base } });
}

export function renameWorkflow(name: string, to: string): Promise<WorkflowEntry> {
  return request("POST", path("workflows", name, "rename"), { json: { to } });
}

export function deleteWorkflow(name: string): Promise<WorkflowEntry> {
  return request("DELETE", path("workflows", name));
}

export async function listVersions(name: string): Promise<readonly Version[]> {
  const { versions } = await request<{ versions: Version[] }>("GET", path("workflows", name, "versions"));
  return versions;
}

export async function listTemplates(): Promise<readonly Template[]> {
  const { templates } = await request<{ templates: Template[] }>("GET", "/templates");
  return templates;
}

export async function loadTemplate(name: string): Promise<Document> {
  const { workflow } = await request<{ workflow: Document }>("GET", path("templates", name));
  return workflow;
}
