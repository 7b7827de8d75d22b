// The workflow document as the file has it. Documents are immutable: every edit makes a new one that shares what stayed.
import type { Json } from "../api/types";

export interface Wire {
  readonly from: string;
}

/** What stands at an input: a literal, a wire, a list that mixes both, or `{value}` for a literal of any form. */
export type Source = Json | Wire | readonly (Json | Wire)[] | { readonly value: Json };

export type NodeMode = "bypass" | "mute";

export interface NodeEntry {
  readonly type: string;
  readonly version?: string;
  readonly title?: string;
  readonly inputs?: Readonly<Record<string, Source>>;
  readonly mode?: NodeMode;
  readonly graph?: string;
  readonly each?: readonly string[];
  readonly carry?: readonly string[];
  readonly collect?: readonly string[];
  readonly until?: string;
  readonly index?: string;
}

export interface DeclaredInput {
  readonly to: readonly string[];
  readonly title?: string;
  readonly help?: string;
}

export interface DeclaredOutput {
  readonly from: string;
  readonly title?: string;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export const COLOURS = ["slate", "red", "amber", "green", "teal", "blue", "violet", "pink"] as const;
export type Colour = (typeof COLOURS)[number];

export interface NodeLayout extends Point {
  readonly width?: number;
  readonly collapsed?: boolean;
  readonly colour?: Colour;
}

export interface Box extends Point {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly colour: Colour;
}

export interface Group extends Box {
  readonly title: string;
}

export interface Note extends Box {
  readonly text: string;
}

export type SeedMode = "fixed" | "random" | "increment";

/** The editor's alone; it never changes what is computed. */
export interface Layout {
  readonly nodes?: Readonly<Record<string, NodeLayout>>;
  readonly groups?: readonly Group[];
  readonly notes?: readonly Note[];
  readonly wires?: Readonly<Record<string, readonly Point[]>>;
  readonly open?: readonly string[];
  readonly view?: Point & { readonly zoom: number };
  readonly seeds?: Readonly<Record<string, SeedMode>>;
}

export interface Graph {
  readonly title?: string;
  readonly description?: string;
  readonly nodes?: Readonly<Record<string, NodeEntry>>;
  readonly inputs?: Readonly<Record<string, DeclaredInput>>;
  readonly outputs?: Readonly<Record<string, DeclaredOutput>>;
  readonly layout?: Layout;
}

export interface Document extends Graph {
  readonly format: "nodegraph/1";
  readonly graphs?: Readonly<Record<string, Graph>>;
}

/** Names a graph of a document: "" is the workflow itself. */
export type GraphName = string;

export const EMPTY: Document = { format: "nodegraph/1" };

export function graphOf(document: Document, name: GraphName): Graph {
  const found = name === "" ? document : document.graphs?.[name];
  if (!found) throw new Error(`the workflow has no graph ${JSON.stringify(name)}`);
  return found;
}

export function withGraph(document: Document, name: GraphName, change: (graph: Graph) => Graph): Document {
  if (name === "") return { ...document, ...change(document) };
  return { ...document, graphs: { ...document.graphs, [name]: change(graphOf(document, name)) } };
}

export function isWire(value: unknown): value is Wire {
  return typeof value === "object" && value !== null && !Array.isArray(value) && "from" in value;
}

/** The wires that stand at an input, in order. */
export function wiresOf(source: Source | undefined): readonly Wire[] {
  if (isWire(source)) return [source];
  return Array.isArray(source) ? source.filter(isWire) : [];
}

/** The literal that stands at an input; undefined where a wire or nothing does. */
export function literalOf(source: Source | undefined): Json | undefined {
  if (source === undefined || wiresOf(source).length > 0) return undefined;
  if (typeof source === "object" && source !== null && !Array.isArray(source)) return (source as { value: Json }).value;
  return source as Json;
}

/** How a literal is written at an input. */
export function written(value: Json): Source {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { value } : value;
}

/** "node.port" in its parts; names of nodes hold no dot. */
export function parsePlace(place: string): { readonly node: string; readonly port: string } {
  const dot = place.lastIndexOf(".");
  return { node: place.slice(0, dot), port: place.slice(dot + 1) };
}

export function place(node: string, port: string): string {
  return `${node}.${port}`;
}
