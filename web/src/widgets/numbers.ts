// Numbers in fields: what may be written, how they are shown, and what dragging and arrow keys make of them.
import type { Limits, PortType, Widget } from "../api/types";

export interface NumberRange {
  readonly isWhole: boolean;
  /** The least and greatest value; infinite where there is no limit. */
  readonly least: number;
  readonly most: number;
  /** By how much one step changes it. */
  readonly step: number;
}

export function numberRange(port: PortType, widget: Widget | null): NumberRange {
  const isWhole = port.kind === "int";
  const limits: Limits = ("limits" in port && port.limits) || {};
  const step = stepOf(isWhole, limits, widget);
  const least = Math.max(limits.ge ?? -Infinity, above(limits.gt, step, 1));
  const most = Math.min(limits.le ?? Infinity, above(limits.lt, step, -1));
  return { isWhole, least, most, step };
}

function above(limit: number | null | undefined, step: number, sign: 1 | -1): number {
  return limit === null || limit === undefined ? -Infinity * sign : tidied(limit + sign * step);
}

function stepOf(isWhole: boolean, limits: Limits, widget: Widget | null): number {
  if (limits.multiple_of) return limits.multiple_of;
  if (widget?.kind === "slider") return isWhole ? Math.max(1, Math.round(widget.step)) : widget.step;
  if (isWhole) return 1;
  const span = (limits.le ?? limits.lt ?? Infinity) - (limits.ge ?? limits.gt ?? -Infinity);
  return span <= 2 ? 0.01 : 0.1;
}

/** Whether the number lies on a scale with two ends that is short enough to be shown. */
export function hasScale({ least, most }: NumberRange): boolean {
  return Number.isFinite(least) && Number.isFinite(most) && most > least;
}

/** The number moved by some steps, on the raster of steps and within the limits. */
export function moved(value: number, steps: number, { isWhole, least, most, step }: NumberRange, fine = false): number {
  const unit = fine && !isWhole ? step / 10 : step;
  const raw = Math.round((value + steps * unit) / unit) * unit;
  return tidied(Math.min(most, Math.max(least, raw)));
}

/** Without the noise of binary fractions: 0.30000000000000004 is 0.3. */
export function tidied(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(12)) : value;
}

export function shownNumber(value: number): string {
  return String(tidied(value));
}

/** The number that a text stands for, which may be a sum such as `512 * 2 + 8`; null for anything else. */
export function calculate(text: string): number | null {
  const tokens = text.match(/\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|[-+*/^()]|\S/gi) ?? [];
  let at = 0;

  function sum(): number {
    let value = product();
    while (tokens[at] === "+" || tokens[at] === "-")
      value = tokens[at++] === "+" ? value + product() : value - product();
    return value;
  }

  function product(): number {
    let value = signed();
    while (tokens[at] === "*" || tokens[at] === "/") value = tokens[at++] === "*" ? value * signed() : value / signed();
    return value;
  }

  function signed(): number {
    if (tokens[at] === "-" || tokens[at] === "+") return tokens[at++] === "-" ? -signed() : signed();
    const base = atom();
    if (tokens[at] !== "^") return base;
    at += 1;
    return base ** signed();
  }

  function atom(): number {
    const token = tokens[at++];
    if (token !== "(") return token !== undefined && /^[\d.]/.test(token) ? Number(token) : NaN;
    const value = sum();
    return tokens[at++] === ")" ? value : NaN;
  }

  const value = sum();
  return at === tokens.length && Number.isFinite(value) ? tidied(value) : null;
}
