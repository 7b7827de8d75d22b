import { type NodeChange, applyNodeChanges } from "@xyflow/react";
import { useCallback, useState } from "react";
import type { AnyNode, CanvasModel } from "./model";

interface Shown {
  readonly model: CanvasModel;
  readonly selected: ReadonlySet<string>;
  readonly revision: number;
  readonly nodes: AnyNode[];
}

/**
 * React Flow's nodes: those of the model with what was measured, and the selection of the tab. While something is
 * dragged its position is React Flow's own; the document's count again when the model changes.
 */
export function useCanvasNodes(model: CanvasModel, selected: ReadonlySet<string>, revision: number) {
  const [shown, setShown] = useState<Shown>(() => next(undefined, model, selected, revision));
  let current = shown;
  if (shown.model !== model || shown.selected !== selected || shown.revision !== revision) {
    current = next(shown, model, selected, revision);
    setShown(current);
  }
  const change = useCallback((changes: NodeChange<AnyNode>[]) => {
    if (changes.length === 0) return;
    setShown((old) => ({ ...old, nodes: measured(applyNodeChanges(changes, old.nodes), changes) }));
  }, []);
  return [current.nodes, change] as const;
}

function next(old: Shown | undefined, model: CanvasModel, selected: ReadonlySet<string>, revision: number): Shown {
  const isPlaced = old?.revision === revision;
  const before = new Map(old?.nodes.map((each) => [each.id, each]));
  const modelBefore = new Set(isPlaced ? old?.model.nodes : []);
  const nodes = model.nodes.map((made) => {
    const known = before.get(made.id);
    const isSelected = selected.has(made.id);
    if (!known || known.type !== made.type) return isSelected ? { ...made, selected: true } : made;
    if (modelBefore.has(made)) {
      return (known.selected ?? false) === isSelected ? known : { ...known, selected: isSelected };
    }
    return renewed(known, made, isSelected);
  });
  return { model, selected, revision, nodes };
}

/** A node of a new model with what was measured of the one before. */
function renewed(known: AnyNode, made: AnyNode, selected: boolean): AnyNode {
  const isKnownNow = made.type === "node" && made.data.ports && known.type === "node" && !known.data.ports;
  if (!known.measured || isKnownNow) return { ...made, selected };
  return { ...withoutGuesses(made), measured: known.measured, selected };
}

/** Nodes without the guesses for what is known now. */
function measured(nodes: AnyNode[], changes: readonly NodeChange<AnyNode>[]): AnyNode[] {
  const known = new Set(changes.flatMap((each) => (each.type === "dimensions" ? [each.id] : [])));
  if (known.size === 0) return nodes;
  return nodes.map((each) => (known.has(each.id) && each.handles ? withoutGuesses(each) : each));
}

function withoutGuesses(node: AnyNode): AnyNode {
  const left = { ...node };
  delete left.handles;
  return left;
}
