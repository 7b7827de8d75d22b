// Axes of charts: where values lie, and round numbers to write beside them.

export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly isLog: boolean;
}

/** What a logarithm can still tell apart from nothing. */
const TINIEST = 1e-300;

export function axisOf(values: readonly number[], isLog: boolean): Axis {
  const counted = values.filter((each) => Number.isFinite(each) && (!isLog || each > TINIEST));
  const low = counted.reduce((a, b) => Math.min(a, b), Infinity);
  const high = counted.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!Number.isFinite(low)) return { low: isLog ? 1 : 0, high: isLog ? 10 : 1, isLog };
  if (low < high) return { low, high, isLog };
  return isLog ? { low: low / 2, high: high * 2, isLog } : { low: low - 0.5, high: high + 0.5, isLog };
}

/** Where a value lies on an axis, from 0 to 1; null where it cannot lie on it. */
export function positionOf(value: number, { low, high, isLog }: Axis): number | null {
  if (!Number.isFinite(value) || (isLog && value <= TINIEST)) return null;
  return isLog ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

/** Round numbers on an axis, about as many as wanted. */
export function ticksOf({ low, high, isLog }: Axis, wanted = 4): number[] {
  if (isLog) {
    const first = Math.ceil(Math.log10(low) - 1e-9);
    const last = Math.floor(Math.log10(high) + 1e-9);
    const every = Math.max(1, Math.ceil((last - first + 1) / (wanted + 2)));
    const found = [];
    for (let power = first; power <= last; power += every) found.push(10 ** power);
    return found.length > 1 ? found : [low, high];
  }
  const rough = (high - low) / wanted;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((each) => each * unit >= rough * 0.999) ?? 10) * unit;
  const found = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index += 1)
    found.push(index * step);
  return found;
}

export function tickText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(0).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}
