/** Curves of several trials over one axis. */

import type { Curves } from '../lib/types';

type Curve = Curves['curves'][number];

/** Every curve at every step that any of them has, straight between its own points, nothing beyond its ends.
 *  `relative`: as a share of its first value, since losses of other settings are other quantities. */
export function aligned(curves: readonly Curve[], relative: boolean): { x: number[]; values: (number | null)[][] } {
  const x = [...new Set(curves.flatMap(({ index }) => index))].sort((one, other) => one - other);
  const values = curves.map((curve) => {
    const unit = relative ? curve.total[0] || 1 : 1;
    return x.map((step) => {
      const value = between(curve, step);
      return value === null ? null : value / unit;
    });
  });
  return { x, values };
}

function between({ index, total }: Curve, step: number): number | null {
  const after = index.findIndex((known) => known >= step);
  if (after < 0) return null;
  const [high, last] = [index[after]!, total[after]!];
  if (high === step) return last;
  if (after === 0) return null;
  const [low, first] = [index[after - 1]!, total[after - 1]!];
  return first + ((last - first) * (step - low)) / (high - low);
}
