import { useEffect } from "react";
import { checkWhileEditing } from "./checking";
import { followServer } from "./session";

/** Keeps the page up to date with the server while it is open. */
export function useServer(): void {
  useEffect(() => {
    const ends = [followServer(), checkWhileEditing()];
    return () => ends.forEach((end) => end());
  }, []);
}
