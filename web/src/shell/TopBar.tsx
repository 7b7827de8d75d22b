import { Tabs } from "../files/Tabs";
import { RunBar } from "../running/RunBar";
import { Menu } from "./Menu";
import type { Command, CommandGroup } from "./commands";

const MENUS: readonly CommandGroup[] = ["File", "Edit", "View", "Graph", "Run"];

export function TopBar({ commands }: { readonly commands: readonly Command[] }) {
  const groups = Map.groupBy(commands, (each) => each.group);
  return (
    <header className="top-bar">
      <h1 className="brand">
        <Logo />
        nodegraph
      </h1>
      <nav className="menus" aria-label="Menus">
        {MENUS.filter((each) => groups.has(each)).map((each) => (
          <Menu key={each} label={each} groups={[groups.get(each) ?? []]} />
        ))}
      </nav>
      <Tabs />
      <RunBar />
    </header>
  );
}

function Logo() {
  return (
    <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
      <path d="M8 9.5 C 19 9.5 13 22.5 24 22.5" fill="none" stroke="var(--accent)" strokeWidth="3" />
      <circle cx="8" cy="9.5" r="4.5" fill="var(--warn)" />
      <circle cx="24" cy="22.5" r="4.5" fill="var(--good)" />
    </svg>
  );
}
