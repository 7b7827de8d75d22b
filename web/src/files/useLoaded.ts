import { useCallback, useEffect, useState } from "react";

interface Loaded<T> {
  readonly value: T | undefined;
  readonly problem: string;
  readonly reload: () => void;
}

/** What a request gives, for a component; `load` must be stable. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ value: T | undefined; problem: string }>({ value: undefined, problem: "" });
  const [round, setRound] = useState(0);

  useEffect(() => {
    let isWanted = true;
    load().then(
      (value) => isWanted && setState({ value, problem: "" }),
      (error: unknown) =>
        isWanted && setState({ value: undefined, problem: error instanceof Error ? error.message : String(error) }),
    );
    return () => {
      isWanted = false;
    };
  }, [load, round]);

  return { ...state, reload: useCallback(() => setRound((each) => each + 1), []) };
}
