/** Stills of the steps that look at pictures with the network: channels, content, style, shuffles, textures. */

import { pictureUrl } from '../../lib/api';
import { percent, short } from '../../lib/numbers';
import { diverging } from '../../lib/shades';
import { sheet } from '../../lib/sprites';
import type { Channels, GramInfo, PairInfo, Rebuilding, Run, ShuffleInfo } from '../../lib/types';
import { lens } from '../asking';
import { sourceOf } from '../figures/figure';
import { pairPath } from '../figures/gram';
import { madeAt } from '../figures/reel';
import type { View } from '../view';
import { cellsInlined, inlined, pixelsInlined } from './inlined';
import type { Shot, Still } from './still';

const SHOWN = 12; // channels

export async function sees(run: Run, view: View): Promise<Still> {
  const found = await lens<Channels>(run.id, `${view.layer}/channels.json`);
  const maps = found.pictures[view.picture];
  const count = Math.min(SHOWN, found.shown.length);
  const cells = cellsInlined(await sheet(maps.url), maps.cell, found.columns, count, 4);
  const caption = `The ${count} strongest of ${found.channels} channels of ${found.layer}`;
  return {
    shots: [await shot(sourceOf(run, view.picture), `The ${view.picture}`), { src: cells, alt: caption, caption }],
    says: [],
  };
}

export async function content(run: Run, view: View): Promise<Still> {
  const found = await lens<Rebuilding>(run.id, `${view.layer}/rebuilt.json`);
  return reel(found, view, await shot(pictureUrl(run.content, 512), 'The photograph'), `Rebuilt from ${found.layer} alone`);
}

export async function layers(run: Run, view: View): Promise<Still> {
  const found = await lens<Rebuilding>(run.id, `${view.layer}/texture.json${view.together ? '?together=1' : ''}`);
  const original = await shot(pictureUrl(run.styles[0] ?? '', 512), 'The painting');
  return reel(found, view, original, `From noise, with the painting’s tables of ${found.layers.join(', ')}`);
}

async function reel(found: Rebuilding, view: View, original: Shot, what: string): Promise<Still> {
  const frame = found.frames[madeAt(found, view.made)];
  const error = found.course.find(([step]) => step === frame?.step)?.[1];
  const missing = error === undefined ? '' : `; ${percent(error)} of what was asked is still missing`;
  const made = frame ? [await shot(frame.url, `${what}, after ${frame.step} steps${missing}`)] : [];
  return { shots: [original, ...made], says: [found.says] };
}

export async function pairs(run: Run, view: View): Promise<Still> {
  const found = await lens<GramInfo>(run.id, `${view.layer}/gram.json`);
  const pair = view.pair === 'wanted' ? found.wanted : view.pair;
  const own = await lens<PairInfo>(run.id, pairPath(found.layer, pair));
  const maps = own.maps[view.picture];
  const names = own.channels.map((channel) => `channel ${channel}`);
  return {
    shots: [
      matrix(found.matrices[view.picture], found.bins, `Gram matrix of the ${view.picture}, ${found.layer}`, found.matrices.painting),
      await shot(maps.first, names[0] ?? ''),
      await shot(maps.second, names[1] ?? ''),
      await shot(maps.product, 'Both: the product'),
      ...(await Promise.all(own.places.map(({ url }) => shot(url, 'Where they meet in the painting')))),
    ],
    says: [own.says],
  };
}

export async function shuffle(run: Run, view: View): Promise<Still> {
  const found = await lens<ShuffleInfo>(run.id, `${view.layer}/shuffle.json?seed=${view.seed}`);
  const tile = found.tiles.find(({ size }) => size === view.tile);
  const { bins, before, after } = found.matrices;
  const shots = tile
    ? [await shot(tile.url, `The photograph in tiles of ${tile.size} pixels`)]
    : [
        await shot(found.maps.before, `One channel of ${found.layer}`),
        await shot(found.maps.after, 'The same, its places shuffled'),
        matrix(before, bins, 'Gram matrix before', before),
        matrix(after, bins, 'Gram matrix after', before),
      ];
  const now = tile ?? found.after;
  const rows = [
    ['Content term', short(found.before.content), short(now.content)],
    ['Style term', short(found.before.style), short(now.style)],
  ];
  return { shots, table: { head: ['', 'before', 'after'], rows }, says: tile ? [] : [found.says] };
}

export async function shot(url: string, caption: string): Promise<Shot> {
  return { src: await inlined(url), alt: caption, caption };
}

function matrix(values: number[], bins: number, caption: string, scale: number[]): Shot {
  const pixels = new ImageData(diverging(values, Math.max(...scale)), bins, bins);
  return { src: pixelsInlined(pixels), alt: caption, caption, sharp: true };
}
