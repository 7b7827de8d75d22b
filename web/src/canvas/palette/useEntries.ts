import { useMemo } from "react";
import { useDefinitions } from "../../store/definitions";
import { type PaletteEntry, nodeEntries } from "./entries";

/** Everything that can be added to a graph. */
export function useEntries(): readonly PaletteEntry[] {
  const definitions = useDefinitions((state) => state.byId);
  return useMemo(() => nodeEntries(definitions), [definitions]);
}
