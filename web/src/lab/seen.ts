/** A pair of channels with its maps as numbers: at once from the layer's sprites, finer from the server's answer. */

import { sheet } from '../lib/sprites';
import type { PairInfo, Which } from '../lib/types';
import { answer, recall, remember } from '../xray/asked.svelte';
import { greyOf, PICTURES, products, type Grey, type LayerMaps } from '../xray/maps';
import type { Pair } from './cells';

export type PairMaps = Record<Which, { first: Grey; second: Grey; product: Grey }>;

export interface PairSeen {
  info: PairInfo;
  maps: PairMaps;
}

/** From the sprites, without asking; null for channels that are not on them. */
export function atOnce({ channels, maps }: LayerMaps, [i, j]: Pair): PairMaps | null {
  const [one, other] = [channels.shown.indexOf(i), channels.shown.indexOf(j)];
  if (one < 0 || other < 0) return null;
  const of = (at: number): Record<Which, Grey> => ({ photograph: maps.photograph[at]!, painting: maps.painting[at]!, result: maps.result[at]! });
  const [first, second] = [of(one), of(other)];
  const product = products(first, second);
  const together = (which: Which): PairMaps[Which] => ({ first: first[which], second: second[which], product: product[which] });
  return { photograph: together('photograph'), painting: together('painting'), result: together('result') };
}

/** From the server, with the places in the painting. */
export async function readPair(path: string, signal: AbortSignal): Promise<PairSeen> {
  const key = `pair ${path}`;
  const known = recall<PairSeen>(key);
  if (known) return known;
  const info = await answer<PairInfo>(path, signal);
  const read = async (which: Which): Promise<PairMaps[Which]> => {
    const { first, second, product } = info.maps[which];
    const [one, other, both] = await Promise.all([first, second, product].map(async (url) => greyOf(await sheet(url))));
    return { first: one!, second: other!, product: both! };
  };
  const [photograph, painting, result] = await Promise.all(PICTURES.map(read));
  return remember(key, { info, maps: { photograph: photograph!, painting: painting!, result: result! } });
}
