/** Stills of the steps that look at how the picture was painted: roughness, losses, gradients, pulls, knobs. */

import { frameUrl } from '../../lib/api';
import { percent, short } from '../../lib/numbers';
import type { Frame, Pulls, Run, State } from '../../lib/types';
import { lens } from '../asking';
import { arrows, SIZE } from '../figures/arrows';
import { balanceMap } from '../figures/balance';
import { frameAt, sourceOf } from '../figures/figure';
import { journey, measuredStep, seriesOf } from '../figures/losses';
import { greyMap, pixelsOf } from '../figures/pixels';
import { Tug } from '../tug';
import { disturbed, meanOf, roughness } from '../variation';
import type { View } from '../view';
import { pixelsInlined } from './inlined';
import { shot } from './looking';
import type { Still } from './still';

const SIDE = 256; // pixels, of what is counted here
const FULL = 0.1; // of the map of differences: white
const ON_THE_WAY = 5; // frames

export async function quiet(run: Run, view: View): Promise<Still> {
  const now = disturbed(await pixelsOf(sourceOf(run, view.picture), SIDE), view.grain);
  const rough = roughness(now);
  const how = view.grain > 0 ? ' with grain' : view.grain < 0 ? ', blurred' : '';
  return {
    shots: [
      { src: pixelsInlined(now, 'image/webp'), alt: `The ${view.picture}${how}`, caption: `The ${view.picture}${how}` },
      { src: pixelsInlined(greyMap(rough, now.width, FULL)), alt: 'A map of differences', caption: 'Where neighbours differ' },
    ],
    says: [`Total variation: ${short(meanOf(rough))}, the mean over the pixels of dx² + dy², white being 1.`],
  };
}

export async function downhill(run: Run): Promise<Still> {
  const last = run.frames.length - 1;
  const places = Array.from({ length: ON_THE_WAY }, (_, at) => Math.round((at * last) / (ON_THE_WAY - 1)));
  const frames = [...new Set(places)].flatMap((at) => run.frames[at] ?? []);
  const chart = seriesOf(run).map(({ name, kind, values }) => ({
    name,
    kind,
    points: values.flatMap((value, at): [number, number][] => (value ? [[run.steps_made.index[at] ?? 0, value]] : [])),
  }));
  return { shots: await Promise.all(frames.map(({ index }) => shot(frameUrl(run.id, index), `After step ${index}`))), chart, says: [] };
}

export async function passes(run: Run, view: View, state: State | null): Promise<Still> {
  const frame = frameOf(run, view);
  const at = measuredStep(run, frame.index);
  const stops = at < 0 ? [] : journey(run, at, (state?.layers ?? []).map(({ name }) => name));
  return {
    shots: [await shot(frameUrl(run.id, frame.index), `The picture after step ${frame.index}`)],
    table: {
      head: ['Term', 'There: share of the loss', 'And back: pull, relative to the strongest'],
      rows: stops.map(({ name, share, pull }) => [name, percent(share), pull === null ? '–' : short(pull, 2)]),
    },
    says: [],
  };
}

export async function pulls(run: Run, view: View): Promise<Still> {
  const { index } = frameOf(run, view);
  const tug = new Tug(await lens<Pulls>(run.id, `pulls/${index}.json`));
  const [x, y] = typeof view.place === 'string' ? tug.place(view.place) : view.place;
  const all = tug.at(x, y);
  const most = Math.max(...all.map(({ strength }) => strength), Number.MIN_VALUE);
  const height = (SIZE * run.height) / run.width;
  const drawn = arrows(all, most, [x * SIZE, y * height]).map(({ kind, path }) => `<path class="under" d="${path}"/><path class="${kind}" d="${path}"/>`);
  const picture = await shot(frameUrl(run.id, index), `After step ${index}: who pulls at one place`);
  return {
    shots: [{ ...picture, over: `<svg viewBox="0 0 ${SIZE} ${height}" aria-hidden="true">${drawn.join('')}</svg>` }],
    table: {
      head: ['Who pulls', 'How hard, relative to the strongest', 'Direction: 1 with content, −1 against it'],
      rows: all.map(({ layer, strength, along }) => [layer, percent(strength / most), layer === 'content' ? '' : along.toFixed(2)]),
    },
    says: [],
  };
}

export async function knobs(run: Run, view: View, state: State | null): Promise<Still> {
  const { index } = frameOf(run, view);
  const found = await lens<Pulls>(run.id, `pulls/${index}.json`);
  const balance = new Tug(found).balance(...view.weights);
  const share = balance.filter((value) => value < 0).length / balance.length;
  const caption = `After step ${index}: content pulls harder on ${percent(share)} of the picture, style on the rest`;
  const picture = await shot(frameUrl(run.id, index), caption);
  const veil = pixelsInlined(balanceMap(balance, found.grid));
  return {
    shots: [{ ...picture, over: `<img class="veil" src="${veil}" alt="">` }],
    table: { head: ['Knob', 'What it does'], rows: (state?.knobs ?? []).map(({ title, help }) => [title, help]) },
    says: [],
  };
}

export async function yours(run: Run): Promise<Still> {
  return {
    shots: await Promise.all(
      (['photograph', 'painting', 'result'] as const).map((which) => shot(sourceOf(run, which), `The ${which}`)),
    ),
    says: [],
  };
}

function frameOf(run: Run, view: View): Frame {
  const frame = run.frames[frameAt(run, view.frame)];
  if (!frame) throw new Error('Nothing is painted yet.');
  return frame;
}
