import { useEffect, useState } from "react";
import { listen } from "../api/events";
import { request } from "../api/http";
import { type Job, eventsOf, listJobs } from "../api/jobs";
import { notifyError } from "../store/notices";
import { takeEvents, takeJobs, takePreview, takeRun, useRuns } from "../store/runs";

const KEPT = 40;
const AGAIN_MS = 300;

/** The jobs of a workflow that were sent from its run page, the newest first; kept fresh by the server's events. */
export function useRunsOf(label: string): readonly Job[] {
  const [jobs, setJobs] = useState<readonly Job[]>([]);
  useEffect(() => {
    let stop: (() => void) | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const read = async () => {
      const page = await listJobs({ search: label, limit: KEPT });
      if (isOver) return;
      const own = page.jobs.filter((each) => each.label === label);
      setJobs(own);
      takeJobs(own);
      await Promise.all(own.filter((each) => each.state === "running").map(follow));
    };
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(() => void read().catch(() => undefined), AGAIN_MS);
    };
    const begin = async () => {
      const { sequence } = await request<{ sequence: number }>("GET", "/system");
      await read();
      if (isOver) return;
      stop = listen(sequence, {
        onEvents: (events) => {
          takeEvents(events);
          if (events.some((each) => !/^(node|run)_/.test(each.kind))) soon();
        },
        onPreview: takePreview,
        onLink: (link) => {
          useRuns.setState({ link });
          if (link === "open") soon();
        },
      });
    };
    begin().catch((error: unknown) => notifyError("the runs could not be read", error));
    return () => {
      isOver = true;
      clearTimeout(timer);
      stop?.();
    };
  }, [label]);
  return jobs;
}

/** Know a job from its beginning. */
async function follow(job: Job): Promise<void> {
  if (!(job.id in useRuns.getState().runs)) takeRun(job, await eventsOf(job.id));
}
