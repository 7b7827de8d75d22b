import { type Viewport, useReactFlow } from "@xyflow/react";
import { useCallback, useLayoutEffect } from "react";
import { create } from "zustand";
import { graphOf } from "../graph/document";
import { activeTab, shownGraph, useTab } from "../store/editor";
import { useDefinitions } from "../store/definitions";
import { arrangePlaceless } from "./arranging";
import { showNodes } from "./placing";
import { useCanvas } from "./state";

/** How each graph of each tab was looked at last. */
const useViews = create<Readonly<Record<string, Viewport>>>(() => ({}));

/** Shows a graph as it was seen last, or all of it; the function that remembers the view is returned. */
export function useView(): (event: unknown, view: Viewport) => void {
  const tab = useTab((each) => each.id);
  const graph = useTab(shownGraph);
  const isReady = useDefinitions((state) => state.byId.size > 0);
  const flow = useCanvas((state) => state.flow);
  const { setViewport } = useReactFlow();
  const key = `${tab} ${graph}`;

  useLayoutEffect(() => {
    if (!flow || !isReady) return;
    const layout = graphOf(activeTab().document, graph).layout;
    const known = useViews.getState()[key] ?? layout?.view;
    useCanvas.setState({ busy: true });
    void (async () => {
      // nodes are measured when they were drawn
      await nextFrame();
      await nextFrame();
      if (hasPlaceless()) await arrangePlaceless();
      if (known) await setViewport(known);
      else {
        await nextFrame();
        showNodes(undefined, 0);
      }
      await nextFrame();
      useCanvas.setState({ busy: false });
    })();
  }, [key, graph, flow, isReady, setViewport]);

  return useCallback((_event: unknown, view: Viewport) => useViews.setState({ [key]: view }), [key]);
}

const nextFrame = () => new Promise(requestAnimationFrame);

/** Whether no node of the shown graph has a place, or most have not. */
function hasPlaceless(): boolean {
  const tab = activeTab();
  const { nodes, layout } = graphOf(tab.document, shownGraph(tab));
  const names = Object.keys(nodes ?? {});
  const without = names.filter((name) => !layout?.nodes?.[name]);
  return without.length * 2 > names.length;
}
