import { inputUrl, upload } from "../../api/media";
import { type GraphName, graphOf, literalOf } from "../../graph/document";
import { canPaint, isMask, maskOf, pictureOf, withMask } from "../../graph/masks";
import type { End } from "../../graph/wiring";
import { openDialog } from "../../shell/dialogs";
import { useDefinitions } from "../../store/definitions";
import { activeTab, edit } from "../../store/editor";
import { notifyError } from "../../store/notices";
import { ICONS } from "../icons";

interface Props {
  readonly graph: GraphName;
  readonly end: End;
}

/** Opens the painting of a mask for the picture at an input, or of the mask that the picture itself is. */
export function PaintButton({ graph, end }: Props) {
  const isPossible = useDefinitions((state) => canPaint(state.byId));
  if (!isPossible) return null;
  return (
    <button
      type="button"
      className="field-icon"
      title="Paint a mask"
      aria-label="Paint a mask"
      onClick={() => void open(graph, end).catch((error: unknown) => notifyError("the mask cannot be painted", error))}
    >
      {ICONS.brush}
    </button>
  );
}

async function open(graph: GraphName, end: End): Promise<void> {
  const { MaskPainter } = await import("./MaskPainter");
  const current = graphOf(activeTab().document, graph);
  const fileAt = ({ node, port }: End) => {
    const found = literalOf(current.nodes?.[node]?.inputs?.[port]);
    return typeof found === "string" && found ? found : undefined;
  };
  const own = isMask(current, end);
  const mask = own ? end : maskOf(current, end);
  const [picture, old] = [own ? pictureOf(current, end) : fileAt(end), mask && fileAt(mask)];
  openDialog({
    title: "Paint a mask",
    wide: true,
    content: (
      <MaskPainter
        picture={picture === undefined ? null : inputUrl(picture)}
        mask={old === undefined ? null : inputUrl(old)}
        onSave={async (content) => {
          const { file } = await upload(content, `${end.node}-mask.png`, "mask");
          edit("paint a mask", (each) => withMask(each, end, file), { graph });
        }}
      />
    ),
  });
}
