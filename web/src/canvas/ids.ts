// Ids on the canvas: a node has its own name, other things have their kind before it.

export interface ChosenThings {
  readonly nodes: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  readonly notes: ReadonlySet<string>;
  readonly wires: ReadonlySet<string>;
}

export const groupId = (id: string): string => `group:${id}`;
export const noteId = (id: string): string => `note:${id}`;

/** Ids sorted by what they stand for, without the kind. */
export function chosenOf(ids: Iterable<string>): ChosenThings {
  const found = {
    nodes: new Set<string>(),
    groups: new Set<string>(),
    notes: new Set<string>(),
    wires: new Set<string>(),
  };
  for (const id of ids) {
    if (id.startsWith("group:")) found.groups.add(id.slice(6));
    else if (id.startsWith("note:")) found.notes.add(id.slice(5));
    else if (id.includes("#")) found.wires.add(id);
    else found.nodes.add(id);
  }
  return found;
}
