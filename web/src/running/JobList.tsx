import { useState } from "react";
import { type Job, askOfJob } from "../api/jobs";
import { Icon } from "../theme/Icon";
import { IconButton } from "../theme/IconButton";
import { JobRow } from "./JobRow";
import { type JobGroup, grouped, nameOf } from "./groups";
import { ask } from "./submit";

interface Props {
  readonly jobs: readonly Job[];
  /** They wait, and can be put in another order. */
  readonly isSortable?: boolean;
}

/** Jobs in their order; many that were sent together are one entry that opens. */
export function JobList({ jobs, isSortable = false }: Props) {
  const groups = grouped(jobs);
  return (
    <ul className="jobs">
      {groups.map((group, index) => {
        const [first] = group.jobs;
        if (group.jobs.length > 2) return <Group key={group.key} group={group} isSortable={isSortable} />;
        return group.jobs.map((job, at) => {
          const before = group.jobs[at - 1] ?? groups[index - 1]?.jobs.at(-1);
          const after = group.jobs[at + 1] ?? groups[index + 1]?.jobs[0];
          const order = isSortable && first ? { before: before?.id, after: after?.id } : null;
          return <JobRow key={job.id} job={job} order={order} />;
        });
      })}
    </ul>
  );
}

function Group({ group, isSortable }: { readonly group: JobGroup; readonly isSortable: boolean }) {
  const [isOpen, setOpen] = useState(false);
  const { jobs } = group;
  const failed = jobs.filter((each) => each.state === "failed").length;
  const name = nameOf(jobs[0] as Job);
  return (
    <li className="job-group">
      <div className="job-group-head">
        <button
          type="button"
          className="job-group-open"
          aria-label={`${jobs.length} runs`}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name="more" size={12} />
          <span className="job-name">{name}</span>
          <span className="job-facts">
            {jobs.length} runs{failed > 0 && `, ${failed} failed`}
          </span>
        </button>
        {isSortable && (
          <IconButton icon="close" label={`Cancel these ${jobs.length} runs`} onClick={() => cancel(jobs)} />
        )}
      </div>
      {isOpen && (
        <ul className="jobs">
          {jobs.map((job, at) => (
            <JobRow
              key={job.id}
              job={job}
              order={isSortable ? { before: jobs[at - 1]?.id, after: jobs[at + 1]?.id } : null}
            />
          ))}
        </ul>
      )}
    </li>
  );
}

function cancel(jobs: readonly Job[]): void {
  void ask("not all runs were cancelled", async () => {
    for (const { id } of jobs) await askOfJob(id, "cancel");
  });
}
