import { useTab } from "../store/editor";

export function TopBar() {
  const title = useTab((tab) => tab.file?.name ?? tab.document.title ?? "untitled");
  return (
    <header className="top-bar">
      <h1>nodegraph</h1>
      <span>{title}</span>
    </header>
  );
}
