// The dialog that is open, if any: one at a time, made by whoever opens it.
import type { ReactNode } from "react";
import { create } from "zustand";

interface Dialog {
  readonly title: string;
  readonly content: ReactNode;
  readonly wide?: boolean;
}

export const useDialog = create<{ readonly dialog: Dialog | null }>(() => ({ dialog: null }));

export function openDialog(dialog: Dialog): void {
  useDialog.setState({ dialog });
}

export function closeDialog(): void {
  useDialog.setState({ dialog: null });
}
