// Pictures that are dragged from the gallery, or dropped from the computer, bring back the graph that made them.
import { ApiError, request } from "../api/http";
import { upload } from "../api/media";
import { type Document, type Point, graphOf } from "../graph/document";
import { addNode, freeName } from "../graph/edits";
import { useCanvas } from "../canvas/state";
import { useDefinitions } from "../store/definitions";
import { openJob } from "../running/opening";
import { activeTab, edit, openTab, shownGraph } from "../store/editor";
import { notify } from "../store/notices";

export const PICTURE_DRAG = "application/x-nodegraph-picture";

interface Recipe {
  readonly workflow: Document;
}

/** Open the graph that made a picture in a new tab; a picture of other origin becomes a node that loads it. */
export async function restoreFromPicture(file: File, at: Point): Promise<void> {
  try {
    const { workflow } = await request<Recipe>("POST", "/recipes", { body: file });
    const name = file.name.replace(/\.[^.]+$/, "");
    openTab(workflow.title ? workflow : { ...workflow, title: name });
    notify(`The workflow of ${file.name} is open`);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "no_recipe") throw error;
    await load(file, at);
  }
}

/** Put a node that loads a picture onto the canvas, whichever one there is for that. */
async function load(file: File, screen: Point): Promise<void> {
  const found = [...useDefinitions.getState().byId.values()].flatMap((definition) => {
    const input = definition.inputs.find(({ type }) => type.kind === "path" && type.of === "image");
    const isWhole = definition.inputs.every((each) => each === input || !each.required);
    return input && isWhole && !definition.effect ? [{ type: definition.id, port: input.name }] : [];
  });
  const [loader] = found;
  if (!loader) throw new Error("it has no workflow in it, and no node loads pictures");
  const sent = await upload(file, file.name);
  const taken = graphOf(activeTab().document, shownGraph(activeTab())).nodes ?? {};
  const at = useCanvas.getState().flow?.screenToFlowPosition({ ...screen }) ?? { x: 0, y: 0 };
  const entry = { type: loader.type, inputs: { [loader.port]: sent.file } };
  edit("load picture", (graph) => addNode(graph, freeName(taken, loader.type), entry, at));
  notify(`${file.name} has no workflow in it, so it was put onto the canvas as a picture`);
}

/** Let pictures of the gallery be dropped on the page. Returns what ends it. */
export function hearPictures(): () => void {
  const onOver = (event: DragEvent) => {
    if (event.dataTransfer?.types.includes(PICTURE_DRAG)) event.preventDefault();
  };
  const onDrop = (event: DragEvent) => {
    const job = event.dataTransfer?.getData(PICTURE_DRAG);
    if (!job || !(event.target instanceof Element) || !event.target.closest(".page-main")) return;
    event.preventDefault();
    void openJob(job);
  };
  window.addEventListener("dragover", onOver);
  window.addEventListener("drop", onDrop);
  return () => {
    window.removeEventListener("dragover", onOver);
    window.removeEventListener("drop", onDrop);
  };
}
