import { useEffect, useState } from "react";
import { listWorkflows, loadTemplate, loadWorkflow } from "../api/workflows";
import type { Document } from "../graph/document";
import { loadDefinitions } from "../store/definitions";

type Loaded = { readonly document: Document } | { readonly error: string } | null;

/** A saved workflow, or the template of that name; null until it is there. */
export function useWorkflow(name: string): Loaded {
  const [loaded, setLoaded] = useState<Loaded>(null);
  useEffect(() => {
    Promise.all([load(name), loadDefinitions()]).then(
      ([document]) => setLoaded({ document }),
      (error: unknown) => setLoaded({ error: error instanceof Error ? error.message : String(error) }),
    );
  }, [name]);
  return loaded;
}

async function load(name: string): Promise<Document> {
  const saved = await listWorkflows();
  return saved.some((each) => each.name === name) ? (await loadWorkflow(name)).workflow : loadTemplate(name);
}
