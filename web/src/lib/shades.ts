/** Colours of measured things: content is blue, style is orange, and blue to orange is less to more. */

import { colour, rgb, type Colour } from './theme.svelte';

export type Kind = 'content' | 'style' | 'other';

const BASE: Record<Kind, Colour> = { content: 'content', style: 'style', other: 'soft' };

/** The colour of the `at`-th of `count` lines of one kind: the deeper, the fainter. */
export function shade(kind: Kind, at = 0, count = 1): string {
  const strength = count > 1 ? 100 - (40 * at) / (count - 1) : 100;
  return `color-mix(in oklab, ${colour(BASE[kind])} ${strength}%, ${colour('wall')})`;
}

/** Dashes tell lines of one kind apart without their colour. */
export const dash = (at: number): number[] => [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 2]][at % 5] ?? [];

/** A matrix as pixels: blue below nought, the wall at nought, orange above; `full` is the strongest colour.
 *  The root of the share is drawn, or a few strong entries would hide all others. */
export function diverging(values: ArrayLike<number>, full: number): Uint8ClampedArray<ArrayBuffer> {
  const [wall, less, more] = [rgb('wall'), rgb('content'), rgb('style')];
  const pixels = new Uint8ClampedArray(4 * values.length);
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? 0;
    const share = Math.sqrt(Math.min(1, Math.abs(value) / (full || 1)));
    const end = value < 0 ? less : more;
    for (let part = 0; part < 3; part++) pixels[4 * at + part] = (wall[part] ?? 0) * (1 - share) + (end[part] ?? 0) * share;
    pixels[4 * at + 3] = 255;
  }
  return pixels;
}
