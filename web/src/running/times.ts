// Durations and amounts as people read them.

/** Such as "0.4 s", "12 s", "3:05" or "1:02:33". */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 60) % 60, whole % 60];
  if (whole >= 3600) parts.unshift(Math.floor(whole / 3600));
  return parts.map((each, index) => (index === 0 ? String(each) : String(each).padStart(2, "0"))).join(":");
}

/** Such as "3.2 it/s" or "4.1 s/it". */
export function rate(perSecond: number): string {
  return perSecond >= 1 || perSecond <= 0 ? `${perSecond.toFixed(1)} it/s` : `${(1 / perSecond).toFixed(1)} s/it`;
}

/** Such as "820 MB" or "3.4 GB". */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = count;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
