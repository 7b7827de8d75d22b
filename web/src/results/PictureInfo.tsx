import { useEffect, useState } from "react";
import { type JobRequest, getRequest } from "../api/jobs";
import { type Document, literalOf } from "../graph/document";
import { duration } from "../running/times";
import type { Picture } from "./picture";

/** What made a picture: time, and what its workflow says in texts, seeds and model files. */
export function PictureInfo({ picture }: { readonly picture: Picture }) {
  const { job } = picture;
  const [request, setRequest] = useState<JobRequest | null>(null);

  useEffect(() => {
    if (!job) return undefined;
    let isGone = false;
    void getRequest(job.id).then(
      (found) => !isGone && setRequest(found),
      () => undefined,
    );
    return () => {
      isGone = true;
    };
  }, [job]);

  if (!job) return <aside className="viewer-info">A value on a wire.</aside>;
  return (
    <aside className="viewer-info" aria-label="What made it">
      <dl>
        <dt>Workflow</dt>
        <dd>{job.label || job.title || "untitled"}</dd>
        <dt>Made</dt>
        <dd>{new Date(job.finished ?? job.created).toLocaleString("en-GB")}</dd>
        {job.seconds !== null && (
          <>
            <dt>Took</dt>
            <dd>{duration(job.seconds)}</dd>
          </>
        )}
        {request &&
          facts(request.workflow).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </aside>
  );
}

/** Texts, seeds and names of models that stand in a workflow. */
function facts(document: Document): (readonly [string, string])[] {
  const graphs = [document, ...Object.values(document.graphs ?? {})];
  return graphs
    .flatMap((graph) => Object.entries(graph.nodes ?? {}))
    .flatMap(([node, entry]) =>
      Object.entries(entry.inputs ?? {}).flatMap(([port, source]) => {
        const value = literalOf(source);
        const isTold = typeof value === "string" ? value !== "" : port.includes("seed") && typeof value === "number";
        return isTold ? [[`${node} ${port}`, String(value)] as const] : [];
      }),
    );
}
