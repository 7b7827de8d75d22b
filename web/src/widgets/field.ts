// What every field of a value is given.
import type { ReactNode } from "react";
import type { Json, PortType, Widget } from "../api/types";

export interface FieldProps<T extends PortType = PortType> {
  readonly id: string;
  /** What people call it; the accessible name. */
  readonly name: string;
  readonly type: T;
  readonly widget: Widget | null;
  /** What stands there, or its default; undefined where there is neither. */
  readonly value: Json | undefined;
  /** Whether there is room, as in the inspector and on the run page; a node has little. */
  readonly roomy: boolean;
  readonly description?: string | undefined;
  readonly describedBy?: string | undefined;
  /** What may be done with the value besides, such as painting a mask on a picture. */
  readonly extra?: ReactNode;
  readonly onChange: (value: Json) => void;
}

export type Typed<Kind extends PortType["kind"]> = Extract<PortType, { kind: Kind }>;

/** The ARIA attributes of the element that holds the value. */
export function labelled({ name, description, describedBy }: FieldProps) {
  return {
    "aria-label": name,
    ...(description ? { "aria-description": description } : {}),
    ...(describedBy ? { "aria-describedby": describedBy } : {}),
  };
}

/** A port's name as people read it. */
export function shownName(name: string): string {
  return name.replaceAll("_", " ");
}
