/** Where the kept frames of a painting lie on the scrubber, and how to walk along them. */

import type { Frame } from '../lib/types';

export type Spacing = 'log' | 'linear';

export const TICKS = 1000; // positions of the scrubber's native range

/** The place of an evaluation on a track that ends at `last`: 0 … 1. Log spacing is log(1 + index) / log(1 + last). */
export function place(index: number, last: number, spacing: Spacing): number {
  if (last <= 0) return 0;
  const share = spacing === 'log' ? Math.log1p(index) / Math.log1p(last) : index / last;
  return Math.min(1, Math.max(0, share));
}

/** The position, in `frames`, of the frame that lies nearest to a place on the track; -1 without frames. */
export function nearestByPlace(frames: Frame[], at: number, last: number, spacing: Spacing): number {
  return nearest(frames, (frame) => Math.abs(place(frame.index, last, spacing) - at));
}

/** The position, in `frames`, of the frame that lies nearest to an evaluation; -1 without frames. */
export function nearestByIndex(frames: Frame[], index: number): number {
  return nearest(frames, (frame) => Math.abs(frame.index - index));
}

function nearest(frames: Frame[], distance: (frame: Frame) => number): number {
  let best = -1;
  let least = Infinity;
  frames.forEach((frame, position) => {
    const found = distance(frame);
    if (found < least) [best, least] = [position, found];
  });
  return best;
}

/** The last row whose evaluation is not after `index`; -1 if there is none. `indices` rise. */
export function rowAt(indices: number[], index: number): number {
  let [low, high] = [0, indices.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (indices[middle]! <= index) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
