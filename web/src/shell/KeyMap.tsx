import { type Command, type CommandGroup, shownKeys } from "./commands";
import "./keymap.css";

/** What the mouse does, which is no command. */
const GESTURES: readonly (readonly [string, string])[] = [
  ["Drag the empty canvas", "Move the view"],
  ["Wheel", "Zoom"],
  ["Shift + drag", "Select a rectangle"],
  ["Double-click the canvas", "Add a node"],
  ["Drop a wire on the canvas", "Add a node that fits"],
  ["Double-click a wire", "Add a point to it"],
  ["Alt + drag a node", "Duplicate it"],
  ["Right-click", "What can be done here"],
  ["Drop a picture made here", "Open its graph"],
];

/** Every command with its keys, and what the mouse does. */
export function KeyMap({ commands }: { readonly commands: readonly Command[] }) {
  const groups = Map.groupBy(
    commands.filter((each) => each.keys?.length),
    (each) => each.group,
  );
  return (
    <div className="keymap">
      {[...groups].map(([group, listed]) => (
        <KeyGroup key={group} group={group} commands={listed} />
      ))}
      <section>
        <h3>Mouse</h3>
        <dl>
          {GESTURES.map(([gesture, what]) => (
            <div key={gesture}>
              <dt>{gesture}</dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </section>
    </div>
  );
}

function KeyGroup({ group, commands }: { readonly group: CommandGroup; readonly commands: readonly Command[] }) {
  return (
    <section>
      <h3>{group}</h3>
      <dl>
        {commands.map((each) => (
          <div key={each.id}>
            <dt>
              {each.keys?.map((keys) => (
                <kbd key={keys}>{shownKeys(keys)}</kbd>
              ))}
            </dt>
            <dd>{each.title}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
