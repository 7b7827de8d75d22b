import { useConnection } from "@xyflow/react";
import { judge, sameSide } from "./connecting";
import { useRefusal } from "./state";

/** Says at the pointer why the wire that is drawn does not fit where it is, and for a while after it was let go. */
export function WireHint() {
  const reason = useConnection(({ inProgress, fromHandle, toHandle, isValid }) => {
    if (!inProgress || !toHandle || isValid || fromHandle.nodeId + fromHandle.id === toHandle.nodeId + toHandle.id)
      return "";
    if (fromHandle.type === toHandle.type) return sameSide(fromHandle.type);
    const [from, to] = fromHandle.type === "source" ? [fromHandle, toHandle] : [toHandle, fromHandle];
    const found = judge({
      source: from.nodeId,
      sourceHandle: from.id ?? null,
      target: to.nodeId,
      targetHandle: to.id ?? null,
    });
    return "reason" in found ? found.reason : "";
  });
  const pointer = useConnection((each) => (each.inProgress ? `${each.pointer.x} ${each.pointer.y}` : ""));
  const refusal = useRefusal((state) => state.refusal);
  const [x = 0, y = 0] = pointer.split(" ").map(Number);
  return (
    <div className="wire-hints" role="status" aria-live="assertive">
      {reason && (
        <p className="wire-hint" style={{ left: x, top: y }}>
          {reason}
        </p>
      )}
      {refusal && !pointer && (
        <p className="wire-hint wire-hint-fixed" style={{ left: refusal.x, top: refusal.y }}>
          {refusal.text}
        </p>
      )}
    </div>
  );
}
