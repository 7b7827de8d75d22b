import { useEffect, useState } from "react";
import { ApiError } from "../api/http";
import { loadTemplate, loadWorkflow } from "../api/workflows";
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
  try {
    return (await loadWorkflow(name)).workflow;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return loadTemplate(name);
    throw error;
  }
}
