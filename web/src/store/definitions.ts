// The node definitions of the server.
import { create } from "zustand";
import { request } from "../api/http";
import type { NodeDefinition, Schemas } from "../api/types";
import type { Definitions } from "../graph/ports";

interface DefinitionsState {
  readonly code: string;
  readonly byId: Definitions;
  readonly packs: readonly Pack[];
}

export type Pack = Schemas["KnownPack"];

interface Answer {
  readonly code: string;
  readonly definitions: readonly NodeDefinition[];
  readonly packs: readonly Pack[];
}

export const useDefinitions = create<DefinitionsState>(() => ({ code: "", byId: new Map(), packs: [] }));

export async function loadDefinitions(): Promise<void> {
  const { code, definitions, packs } = await request<Answer>("GET", "/definitions");
  if (code !== useDefinitions.getState().code) {
    useDefinitions.setState({ code, packs, byId: new Map(definitions.map((each) => [each.id, each])) });
  }
}
