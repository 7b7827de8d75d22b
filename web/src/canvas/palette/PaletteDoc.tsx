import type { PortType } from "../../api/types";
import { describe } from "../../graph/portTypes";
import { colourOf } from "../colours";
import type { PaletteEntry } from "./entries";

/** What a node does, takes and gives. */
export function PaletteDoc({ entry: { title, id, doc, ports } }: { readonly entry: PaletteEntry }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- so that a long text can be scrolled by keyboard
    <aside className="palette-doc" aria-label={`About ${title}`} aria-live="polite" tabIndex={0}>
      <h2>{title}</h2>
      <code>{id}</code>
      {doc.split("\n\n").map((each) => (
        <p key={each}>{each}</p>
      ))}
      {ports && ports.inputs.length > 0 && <PortList title="Takes" ports={ports.inputs} />}
      {ports && ports.outputs.length > 0 && <PortList title="Gives" ports={ports.outputs} />}
    </aside>
  );
}

interface Port {
  readonly name: string;
  readonly type: PortType;
}

function PortList({ title, ports }: { readonly title: string; readonly ports: readonly Port[] }) {
  return (
    <>
      <h3>{title}</h3>
      <ul>
        {ports.map(({ name, type }) => (
          <li key={name}>
            <i style={{ background: colourOf(type) }} />
            {name} <small>{describe(type)}</small>
          </li>
        ))}
      </ul>
    </>
  );
}
