/** What one unit of a layer sees of a picture. */

import type { LayerInfo } from '../../lib/types';

export interface Box {
  left: number; // all of them as shares of the picture, cut at its border
  top: number;
  width: number;
  height: number;
}

/** The field of the unit nearest to x, y (0…1): `field` pixels square around ((column + 0.5)·stride, (row + 0.5)·stride). */
export function fieldOf({ field, stride }: LayerInfo, size: { width: number; height: number }, x: number, y: number): Box {
  const [left, right] = ends(x, size.width, field, stride);
  const [top, bottom] = ends(y, size.height, field, stride);
  return { left, top, width: right - left, height: bottom - top };
}

function ends(share: number, pixels: number, field: number, stride: number): [number, number] {
  const count = Math.max(1, Math.floor(pixels / stride));
  const unit = Math.min(count - 1, Math.floor((share * pixels) / stride));
  const middle = (unit + 0.5) * stride;
  return [Math.max(0, (middle - field / 2) / pixels), Math.min(1, (middle + field / 2) / pixels)];
}
