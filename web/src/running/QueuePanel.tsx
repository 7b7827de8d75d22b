import { pruneJobs } from "../api/jobs";
import { countOf, showMore, useJobs, waiting } from "../store/jobs";
import { Icon } from "../theme/Icon";
import { JobList } from "./JobList";
import "./queue.css";
import { ask, toggleQueue } from "./submit";

/** What runs, what waits in which order, and what is over. */
export function QueuePanel() {
  const { queue, running, over, hasMore } = useJobs();
  if (!queue) return <p className="hint">The queue is not known yet.</p>;
  const waits = waiting(queue);
  return (
    <div className="queue">
      <div className="queue-tools">
        <button type="button" onClick={toggleQueue}>
          <Icon name={queue.paused ? "run" : "pause"} size={14} />
          {queue.paused ? "Resume the queue" : "Pause the queue"}
        </button>
      </div>
      {queue.paused && <p className="queue-note">The queue is paused: nothing new begins.</p>}
      <Section title="Running" count={running.length}>
        <JobList jobs={running} />
      </Section>
      <Section title="Waiting" count={waits}>
        <JobList jobs={queue.jobs} isSortable />
        {queue.jobs.length < waits && (
          <button type="button" className="queue-more" onClick={() => showMore("waitingShown")}>
            {(waits - queue.jobs.length).toLocaleString("en")} more wait
          </button>
        )}
      </Section>
      <Section
        title="Finished"
        count={countOf(queue, "done", "failed", "cancelled")}
        action={over.length > 0 ? { label: "Clear", run: clear } : null}
      >
        <JobList jobs={over} />
        {hasMore && (
          <button type="button" className="queue-more" onClick={() => showMore("overShown")}>
            Show more
          </button>
        )}
      </Section>
      {waits + running.length + over.length === 0 && (
        <p className="hint">Nothing was run yet. What you run appears here, and stays over restarts.</p>
      )}
    </div>
  );
}

interface SectionProps {
  readonly title: string;
  readonly count: number;
  readonly action?: { readonly label: string; readonly run: () => void } | null;
  readonly children: React.ReactNode;
}

function Section({ title, count, action, children }: SectionProps) {
  if (count === 0) return null;
  return (
    <section className="queue-section" aria-label={title}>
      <header>
        <h3>
          {title} <span>{count.toLocaleString("en")}</span>
        </h3>
        {action && (
          <button type="button" className="queue-action" title="Files that were written stay" onClick={action.run}>
            {action.label}
          </button>
        )}
      </header>
      {children}
    </section>
  );
}

function clear(): void {
  void ask("the history was not cleared", () => pruneJobs({ keep: 0 }));
}
