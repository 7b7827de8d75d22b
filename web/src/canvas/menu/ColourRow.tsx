import { changeBox } from "../../graph/boxes";
import { COLOURS, type Colour, type Graph } from "../../graph/document";
import { changeLayout } from "../../graph/edits";
import { activeTab, edit } from "../../store/editor";
import { chosenColour } from "../colours";
import { chosenOf } from "../ids";

/** Gives what is selected a colour. */
export function ColourRow({ onDone }: { readonly onDone: () => void }) {
  const choose = (colour: Colour | undefined) => {
    const { nodes, groups, notes } = chosenOf(activeTab().selected);
    edit("colour", (graph) => {
      let left: Graph = graph;
      // an undefined colour falls out of the layout
      for (const name of nodes) left = changeLayout(left, name, { colour } as { colour: Colour });
      for (const id of groups) left = changeBox(left, "groups", id, { colour: colour ?? "slate" });
      for (const id of notes) left = changeBox(left, "notes", id, { colour: colour ?? "slate" });
      return left;
    });
    onDone();
  };
  return (
    <div className="colour-row" role="group" aria-label="Colour">
      <button
        type="button"
        role="menuitem"
        tabIndex={-1}
        title="No colour"
        aria-label="No colour"
        onClick={() => choose(undefined)}
      />
      {COLOURS.map((each) => (
        <button
          key={each}
          type="button"
          role="menuitem"
          tabIndex={-1}
          title={each}
          aria-label={each}
          style={{ background: chosenColour(each) }}
          onClick={() => choose(each)}
        />
      ))}
    </div>
  );
}
