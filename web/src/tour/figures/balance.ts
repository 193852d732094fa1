/** Who is stronger where, as a veil over the picture. */

import { rgb } from '../../lib/theme.svelte';

const FULL = 3; // log₂: eight times as strong
const DENSEST = 0.75; // opacity

/** Blue where the value is below 0 (content is stronger), orange where it is above; grid × grid values. */
export function balanceMap(values: readonly number[], grid: number): ImageData {
  const map = new ImageData(grid, grid);
  const [content, style] = [rgb('content'), rgb('style')];
  values.forEach((value, at) => {
    const share = Math.min(1, Math.abs(value) / FULL);
    map.data.set([...(value < 0 ? content : style), 255 * DENSEST * share], 4 * at);
  });
  return map;
}
