import { useMemo } from "react";
import { useDefinitions } from "../../store/definitions";
import { useTab } from "../../store/editor";
import { graphEntries } from "../../subgraphs/entries";
import { type PaletteEntry, nodeEntries } from "./entries";

/** Everything that can be added to a graph. */
export function useEntries(): readonly PaletteEntry[] {
  const definitions = useDefinitions((state) => state.byId);
  const document = useTab((tab) => tab.document);
  return useMemo(() => [...nodeEntries(definitions), ...graphEntries(document, definitions)], [definitions, document]);
}
