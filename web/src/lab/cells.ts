/** Between the cells of a Gram matrix as it is drawn and the channels that they stand for. */

import type { GramInfo } from '../lib/types';

export type Pair = [number, number];

/** The channels that a row (or column) of the drawn matrix is the mean of. */
export function channelsOf({ order, bins, channels }: GramInfo, row: number): number[] {
  return order.slice(Math.floor((row * channels) / bins), Math.ceil(((row + 1) * channels) / bins));
}

/** Row and column in which a pair is drawn. */
export function cellOf(gram: GramInfo, [first, second]: Pair): Pair | null {
  const place = (channel: number): number => {
    const at = gram.order.indexOf(channel);
    return at < 0 ? -1 : Math.floor((at * gram.bins) / gram.channels);
  };
  const [row, column] = [place(first), place(second)];
  return row < 0 || column < 0 ? null : [row, column];
}

/** The pair that a cell stands for: of the strongest ones the first that lies in it, else the first of its channels. */
export function pairOf(gram: GramInfo, row: number, column: number): Pair {
  const [across, down] = [channelsOf(gram, row), channelsOf(gram, column)];
  const strong = gram.pairs.find(({ channels: [i, j] }) => (across.includes(i) && down.includes(j)) || (across.includes(j) && down.includes(i)));
  return strong ? strong.channels : sorted([across[0] ?? 0, down[0] ?? 0]);
}

/** The painting's strongest pair: what all entries are told as shares of, for the unit itself says nothing. */
export const unitOf = (gram: GramInfo): number => gram.pairs[0]?.values.painting || 1;

/** The smaller channel first, as the server has it. */
export const sorted = ([i, j]: Pair): Pair => (i <= j ? [i, j] : [j, i]);

export const same = (one: Pair | null, other: Pair | null): boolean => one?.[0] === other?.[0] && one?.[1] === other?.[1];
