// The title and icon of the page tell how far the run is, for people who look at something else meanwhile.

const TITLE = "nodegraph";
const RADIUS = 13;

export function showInTitle(percent: number | null): void {
  document.title = percent === null ? TITLE : `${percent}% · ${TITLE}`;
  const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (!icon) return;
  icon.dataset["still"] ??= icon.href;
  icon.href = percent === null ? icon.dataset["still"] : `data:image/svg+xml,${encodeURIComponent(ring(percent))}`;
}

function ring(percent: number): string {
  const length = 2 * Math.PI * RADIUS;
  const circle = `<circle cx="16" cy="16" r="${RADIUS}" fill="none" stroke-width="5"`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${circle} stroke="#8886"/>` +
    `${circle} stroke="#4f83ff" stroke-dasharray="${(length * percent) / 100} ${length}" transform="rotate(-90 16 16)"/></svg>`
  );
}
