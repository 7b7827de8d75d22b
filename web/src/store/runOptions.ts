// How the next run goes.
import { create } from "zustand";

interface RunOptions {
  /** How many runs one press of the button gives. */
  readonly count: number;
  /** Jobs are being sent. */
  readonly isSending: boolean;
}

export const MOST_RUNS = 500;

export const useRunOptions = create<RunOptions>(() => ({ count: 1, isSending: false }));

export function setCount(count: number): void {
  if (Number.isFinite(count)) useRunOptions.setState({ count: Math.max(1, Math.min(MOST_RUNS, Math.round(count))) });
}
