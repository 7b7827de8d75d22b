// The history of pictures: pages of jobs that are over, the newest first.
import { create } from "zustand";
import { type Job, listJobs } from "../api/jobs";
import { notifyError } from "./notices";

interface GalleryState {
  readonly jobs: readonly Job[];
  readonly search: string;
  /** Only of this workflow's name; "" for all. */
  readonly label: string;
  /** What the next page is asked for with; null when all are there. */
  readonly before: number | null;
  readonly isReading: boolean;
}

const PAGE = 60;

export const useGallery = create<GalleryState>(() => ({
  jobs: [],
  search: "",
  label: "",
  before: null,
  isReading: false,
}));

/** Read the newest pictures again; what was read further back stays. */
export async function readNewest(): Promise<void> {
  await read(null);
}

export async function readMore(): Promise<void> {
  const { before, isReading } = useGallery.getState();
  if (before !== null && !isReading) await read(before);
}

export function searchGallery(search: string): void {
  useGallery.setState({ search, jobs: [], before: null });
  void read(null);
}

async function read(before: number | null): Promise<void> {
  const { search } = useGallery.getState();
  useGallery.setState({ isReading: true });
  try {
    const page = await listJobs({ states: ["done", "failed", "cancelled"], search, before, limit: PAGE });
    useGallery.setState((old) => {
      if (old.search !== search) return {};
      const oldest = page.jobs.at(-1)?.number ?? 0;
      if (before !== null) return { jobs: [...old.jobs, ...page.jobs], before: page.before };
      const kept = old.jobs.filter((each) => page.before !== null && each.number < oldest);
      return { jobs: [...page.jobs, ...kept], before: kept.length > 0 ? old.before : page.before };
    });
  } catch (error) {
    notifyError("the pictures were not read", error);
  } finally {
    useGallery.setState({ isReading: false });
  }
}
