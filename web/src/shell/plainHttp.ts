// Browsers keep parts of themselves from pages that come over plain HTTP from another machine. The editor needs two of
// them, which are put in place here, before anything else runs.

const KEPT = "nodegraph.clipboard";

/** A random id in the form of a UUID of version 4. */
export function randomId(): `${string}-${string}-${string}-${string}-${string}` {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A clipboard that the tabs of this server share; what is copied also goes to that of the system, where it may. */
export const ownClipboard: Pick<Clipboard, "readText" | "writeText"> = {
  readText: () => Promise.resolve(localStorage.getItem(KEPT) ?? ""),
  writeText: (text) => {
    localStorage.setItem(KEPT, text);
    const give = (event: ClipboardEvent) => {
      event.preventDefault();
      event.clipboardData?.setData("text/plain", text);
    };
    document.addEventListener("copy", give, { capture: true, once: true });
    document.execCommand("copy");
    document.removeEventListener("copy", give, { capture: true });
    return Promise.resolve();
  },
};

if (!("randomUUID" in crypto)) Object.defineProperty(crypto, "randomUUID", { value: randomId });
if (!("clipboard" in navigator)) Object.defineProperty(navigator, "clipboard", { value: ownClipboard });
