import { type Template, listTemplates } from "../api/workflows";
import { closeDialog } from "../shell/dialogs";
import { notifyError } from "../store/notices";
import { openTemplate } from "./open";
import { useLoaded } from "./useLoaded";
import "./files.css";

/** Workflows to begin with, each with a picture of what it makes. */
export function Templates() {
  const { value: templates, problem } = useLoaded(listTemplates);
  const groups = Map.groupBy(templates ?? [], (each) => each.group);
  return (
    <div className="templates">
      {problem && <p role="alert">{problem}</p>}
      {[...groups].map(([group, listed]) => (
        <section key={group}>
          {groups.size > 1 && <h3>{group || "workflows"}</h3>}
          <div className="templates-grid">
            {listed.map((each) => (
              <Card key={each.name} template={each} />
            ))}
          </div>
        </section>
      ))}
    </div>
  );
}

function Card({ template }: { readonly template: Template }) {
  const { name, title, description, picture, needs } = template;
  const open = () =>
    openTemplate(name).then(closeDialog, (error: unknown) => notifyError(`“${name}” is not opened`, error));
  return (
    <button type="button" className="template" onClick={() => void open()}>
      {picture ? (
        <img className="template-picture" src={picture} alt="" loading="lazy" />
      ) : (
        <span className="template-picture" aria-hidden="true">
          ◇
        </span>
      )}
      <span className="template-text">
        <strong>{title || name}</strong>
        <small>{description}</small>
        {needs.length > 0 && <small className="template-needs">needs {needs.join(", ")}</small>}
      </span>
    </button>
  );
}
