import { useEffect, useState } from "react";

/** What is loaded once when the component appears: null meanwhile, or why it could not be. */
export function useList<T>(load: (signal: AbortSignal) => Promise<readonly T[]>): {
  readonly found: readonly T[] | null;
  readonly error: string | null;
} {
  const [state, setState] = useState<{ found: readonly T[] | null; error: string | null }>({
    found: null,
    error: null,
  });
  useEffect(() => {
    const stop = new AbortController();
    load(stop.signal).then(
      (found) => setState({ found, error: null }),
      (error: unknown) => {
        if (!stop.signal.aborted)
          setState({ found: null, error: error instanceof Error ? error.message : String(error) });
      },
    );
    return () => stop.abort();
    // once, as it appears
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  return state;
}
