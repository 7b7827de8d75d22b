// What the server's answers are made of, under short names. Types of ports and definitions are written out, since the
// editor makes such values itself and leaves out what is null; types.test.ts compares them with the generated ones.
import type { components } from "./schema";

/** Every model of the server under its name. */
export type Schemas = components["schemas"];

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export interface Limits {
  readonly ge?: number | null;
  readonly gt?: number | null;
  readonly le?: number | null;
  readonly lt?: number | null;
  readonly multiple_of?: number | null;
  readonly min_length?: number | null;
  readonly max_length?: number | null;
  readonly pattern?: string | null;
}

export type PortType =
  | { readonly kind: "int" | "float" | "bool" | "str"; readonly limits?: Limits | null }
  | { readonly kind: "none" }
  | { readonly kind: "any" }
  | {
      readonly kind: "choice";
      readonly values: readonly (string | number | boolean)[];
      readonly enum?: string | null;
    }
  | { readonly kind: "path"; readonly of: string }
  | { readonly kind: "list"; readonly item: PortType; readonly limits?: Limits | null }
  | { readonly kind: "map"; readonly item: PortType }
  | { readonly kind: "union"; readonly members: readonly PortType[] }
  | { readonly kind: "variable"; readonly name: string; readonly bound?: PortType | null }
  | {
      readonly kind: "wire";
      readonly id: string;
      readonly bases?: readonly string[];
      readonly portable?: boolean;
      readonly arguments?: readonly PortType[];
    }
  | { readonly kind: "model"; readonly id: string; readonly fields: readonly ModelField[] };

export interface ModelField {
  readonly name: string;
  readonly type: PortType;
  readonly required?: boolean;
  readonly default?: Json;
  readonly doc?: string;
}

export type Widget =
  | { readonly kind: "slider"; readonly step: number }
  | { readonly kind: "multiline"; readonly rows: number }
  | { readonly kind: "seed" };

export interface InputDefinition {
  readonly name: string;
  readonly type: PortType;
  readonly required: boolean;
  readonly default: Json;
  readonly widget: Widget | null;
  readonly lazy: "" | "whole" | "items";
  readonly doc: string;
}

export interface OutputDefinition {
  readonly name: string;
  readonly type: PortType;
  readonly may_block: boolean;
  readonly doc: string;
}

export interface NodeDefinition {
  readonly id: string;
  readonly version: string;
  readonly category: string;
  readonly title: string;
  readonly doc: string;
  readonly pack: string;
  readonly inputs: readonly InputDefinition[];
  readonly outputs: readonly OutputDefinition[];
  readonly effect: boolean;
  readonly cache: "content" | "never";
}

export type Defect = Schemas["Defect"];
