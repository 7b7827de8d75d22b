import { useEffect } from "react";
import { DialogHost } from "../shell/DialogHost";
import { Notices } from "../shell/Notices";
import { usePage } from "../store/layout";
import { Workbench } from "./Workbench";
import "./form.css";
import { useWorkflow } from "./useWorkflow";

/** The declared inputs of a workflow as a simple page, for people who do not want a graph. */
export function RunPage({ name }: { readonly name: string }) {
  const loaded = useWorkflow(name);
  const theme = usePage((state) => state.theme);
  const title = loaded && "document" in loaded ? loaded.document.title || name : name;

  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
    document.title = `${title} · nodegraph`;
  }, [theme, title]);

  return (
    <>
      <main className="run-page">
        <header className="run-header">
          <h1>{title}</h1>
          <a href="/">Open the editor</a>
        </header>
        {!loaded && <p aria-busy="true">Loading…</p>}
        {loaded && "error" in loaded && (
          <p className="field-problem" role="alert">
            {loaded.error}
          </p>
        )}
        {loaded && "document" in loaded && <Workbench name={name} document={loaded.document} />}
      </main>
      <Notices />
      <DialogHost />
    </>
  );
}
