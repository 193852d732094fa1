/** Between the cells of a Gram matrix as it is drawn and the channels that they stand for. */

import type { GramInfo } from '../../lib/types';

/** The channels of a cell; where a bin holds several channels, the first of them. A pair has its lower number first. */
export function channelsAt({ order, bins }: GramInfo, row: number, column: number): [number, number] {
  const channel = (bin: number): number => order[Math.ceil((bin * order.length) / bins)] ?? 0;
  return ordered(channel(row), channel(column));
}

/** The cell in which a pair stands. */
export function cellOf({ order, bins }: GramInfo, [first, second]: readonly [number, number]): [number, number] {
  const bin = (channel: number): number => Math.floor((Math.max(0, order.indexOf(channel)) * bins) / order.length);
  return [bin(first), bin(second)];
}

export const pairPath = (layer: string, [first, second]: readonly [number, number]): string =>
  `${layer}/pair/${ordered(first, second).join('-')}.json`;

const ordered = (one: number, other: number): [number, number] => (one <= other ? [one, other] : [other, one]);
