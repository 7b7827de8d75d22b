import { useState } from "react";

/** A state that the browser keeps under a key. */
export function useKept<T>(key: string, first: T): readonly [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => read(key) ?? first);
  return [
    value,
    (next) => {
      setValue(next);
      localStorage.setItem(key, JSON.stringify(next));
    },
  ];

  function read(from: string): T | null {
    try {
      return JSON.parse(localStorage.getItem(from) ?? "null") as T | null;
    } catch {
      return null;
    }
  }
}
