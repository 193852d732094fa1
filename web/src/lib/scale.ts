/** Between a knob's value and the place of its handle, 0 … 1, on a linear or a logarithmic scale. */

const DECADES = 6; // of a logarithmic scale that begins at nought

const bottom = (low: number, high: number): number => (low > 0 ? low : high / 10 ** DECADES);

/** Where the handle is for a value. */
export function toShare(value: number, low: number, high: number, log = false): number {
  if (high <= low) return 0;
  if (!log) return clip((value - low) / (high - low));
  const from = bottom(low, high);
  return value <= from ? 0 : clip(Math.log(value / from) / Math.log(high / from));
}

/** The value for a handle; the lowest place of a logarithmic scale is `low` itself, which may be nought. */
export function fromShare(share: number, low: number, high: number, log = false): number {
  if (!log) return low + clip(share) * (high - low);
  const from = bottom(low, high);
  return share <= 0 ? low : from * (high / from) ** clip(share);
}

const clip = (share: number): number => Math.min(1, Math.max(0, share));
