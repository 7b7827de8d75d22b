import { useEffect, useState } from "react";
import { ApiError } from "../api/http";
import { type Glimpse, glimpses } from "../api/pictures";

interface Found {
  readonly key: string;
  readonly outputs?: Readonly<Record<string, Glimpse>>;
  readonly problem?: string;
}

/** What is told of a result; undefined while it is read. */
export function useGlimpses(key: string | undefined): Found | undefined {
  const [found, setFound] = useState<Found>();
  useEffect(() => {
    if (!key) return undefined;
    let isGone = false;
    const keep = (next: Found) => !isGone && setFound(next);
    glimpses(key).then(
      (outputs) => keep({ key, outputs }),
      (error: unknown) => keep({ key, problem: error instanceof ApiError ? error.message : String(error) }),
    );
    return () => {
      isGone = true;
    };
  }, [key]);
  return found?.key === key ? found : undefined;
}
