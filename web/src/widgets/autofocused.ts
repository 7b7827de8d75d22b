/** What gets the focus when the dialog or popover around it is shown; React's `autoFocus` comes too early for that. */
export function autofocused(element: HTMLElement | null): void {
  element?.setAttribute("autofocus", "");
}
