import { useState } from "react";
import type { Document } from "../graph/document";
import { useTab } from "../store/editor";
import { notifyError } from "../store/notices";
import { type Preflight, preflight } from "./checking";
import { bytes, duration } from "./times";

interface Told {
  readonly document: Document;
  readonly report: Preflight;
}

/** What a run would do and need, told without running anything. */
export function BeforeRun() {
  const document = useTab((tab) => tab.document);
  const [told, setTold] = useState<Told | null>(null);
  const [isAsking, setAsking] = useState(false);
  const ask = () => {
    setAsking(true);
    preflight(document, null)
      .then((report) => setTold({ document, report }))
      .catch((error: unknown) => notifyError("nothing can be told before the run", error))
      .finally(() => setAsking(false));
  };
  const isOld = told !== null && told.document.nodes !== document.nodes;
  return (
    <section className="before-run" aria-label="Before the run">
      <button type="button" disabled={isAsking} onClick={ask}>
        {isAsking ? "Looking…" : "What would a run do?"}
      </button>
      {told && (
        <div data-old={isOld || undefined}>
          <ul>
            {facts(told.report).map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ul>
          {told.report.defects.map((each, index) => (
            <p key={index} className="before-defect">
              {[each.node, each.input].filter(Boolean).join(" › ")}: {each.reason}
            </p>
          ))}
        </div>
      )}
    </section>
  );
}

function facts({ nodes, memory, time, models, not_known }: Preflight): string[] {
  const count = (state: string) => nodes.filter((each) => each.state === state).length;
  const runs = count("runs") + count("may run");
  return [
    `${runs} ${runs === 1 ? "node runs" : "nodes run"}, ${count("cached")} are cached`,
    `about ${duration(time.seconds)}${not_known.length > 0 ? " and what is not known" : ""}`,
    ...(memory ? [`${bytes(memory.peak)} of memory at most${memory.node ? `, at ${memory.node}` : ""}`] : []),
    ...models.map((each) => `${each.file}: ${each.family}, ${each.precision}, ${bytes(each.bytes)}`),
  ];
}
