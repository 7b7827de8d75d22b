import { chosenOf } from "../canvas/ids";
import { runUpTo } from "../running/submit";
import { useTab } from "../store/editor";
import { type Look, isSame, togglePin, useLooks } from "../store/looks";
import { useNodeRun } from "../store/runs";
import { IconButton } from "../theme/IconButton";
import { GlimpseView } from "./GlimpseView";
import "./look.css";
import { useGlimpses } from "./useGlimpses";

/** What the selected node gave in the newest run, and pinned results. */
export function LookPanel() {
  const { now, pinned } = useLooks();
  const selected = useTab((tab) => [...chosenOf(tab.selected).nodes][0]);
  const chosen: Look | null = selected !== undefined && now?.id !== selected ? { id: selected, output: "" } : now;
  const rest = pinned.filter((each) => !chosen || !isSame(each, chosen));
  return (
    <div className="look">
      {chosen && <OneLook key={`${chosen.id}.${chosen.output}`} look={chosen} />}
      {rest.map((each) => (
        <OneLook key={`${each.id}.${each.output}`} look={each} />
      ))}
      {!chosen && rest.length === 0 && <p className="hint">Select a node to see what it gave.</p>}
    </div>
  );
}

function OneLook({ look }: { readonly look: Look }) {
  const run = useNodeRun(look.id);
  const found = useGlimpses(run?.key);
  const isPinned = useLooks((state) => state.pinned.some((each) => isSame(each, look)));
  const outputs = Object.entries(found?.outputs ?? {}).filter(([name]) => !look.output || name === look.output);
  return (
    <section className="look-one" aria-label={`Results of ${look.id}`}>
      <header>
        <h3>
          {look.id}
          {look.output && ` › ${look.output}`}
        </h3>
        <IconButton
          icon="pin"
          label={isPinned ? "Unpin" : "Keep in sight"}
          pressed={isPinned}
          onClick={() => togglePin(look)}
        />
      </header>
      {run?.key && !found && <p className="hint">Reading…</p>}
      {run?.key &&
        outputs.map(([name, glimpse]) => (
          <GlimpseView key={name} resultKey={run.key ?? ""} node={look.id} output={name} glimpse={glimpse} />
        ))}
      {found?.problem && <p className="hint">{found.problem}</p>}
      {(!run?.key || found?.problem) && run?.state !== "running" && (
        <>
          {!found?.problem && <p className="hint">{run ? "Its result is not kept." : "It did not run yet."}</p>}
          <button type="button" onClick={() => runUpTo(look.id)}>
            Run up to here
          </button>
        </>
      )}
    </section>
  );
}
