/** Which run the lens looks at, and its pictures. */

import { frameUrl, pictureUrl } from '../lib/api';
import { route } from '../lib/route.svelte';
import { studio } from '../lib/state.svelte';
import type { Channels, Id, LayerInfo, Picture, Run, RunState, RunSummary, Which } from '../lib/types';
import { answer, recall, remember } from './asked.svelte';
import type { Size } from './fields';
import { mapsOf, type LayerMaps } from './maps';

export const TITLES: Record<Which, string> = { photograph: 'Photograph', painting: 'Painting', result: 'Result' };

const PAINTED: RunState[] = ['waiting', 'running'];
const DEFAULT_LAYER = 'relu3_1'; // in the middle: small enough to see strokes, deep enough to see more than edges

let held: Id | null = null; // what was looked at last: a newer painting does not take its place by itself

/** The run in the address if it is known, else a finished demonstration, else whatever has a picture. */
export function looked(): RunSummary | null {
  const asked = studio.runs.get(route.run ?? held ?? '');
  if (asked) return asked;
  const seen = visible();
  const found = seen.find((run) => run.demo && run.state === 'finished') ?? seen[0] ?? null;
  held = found?.id ?? null;
  return found;
}

/** The run with all its steps, once it is read; inside a component. */
export class Whole {
  run = $state.raw<Run | null>(null);

  constructor(summary: () => RunSummary | null) {
    const asked = $derived(summary()?.id);
    $effect(() => {
      const id = asked;
      if (!id) return;
      let wanted = true;
      studio.run(id).then(
        (run) => wanted && (this.run = run),
        () => wanted && (this.run = null),
      );
      return () => (wanted = false);
    });
  }
}

/** All runs that have a picture, demonstrations last. */
export function visible(): RunSummary[] {
  const seen = [...studio.runs.values()].filter((run) => run.frame !== null);
  return seen.sort((one, other) => Number(one.demo) - Number(other.demo) || other.started.localeCompare(one.started));
}

/** The layer in the address if the network has it. */
export function layerOf(layers: LayerInfo[]): LayerInfo | null {
  const named = (name: string | null): LayerInfo | undefined => layers.find((layer) => layer.name === name);
  return named(route.layer) ?? named(DEFAULT_LAYER) ?? layers[0] ?? null;
}

/** Where the three pictures of a run are; null: not there yet. Before the first run the bundled ones are shown. */
export function pictures(run: RunSummary | null): Record<Which, string | null> {
  const first = (kind: Picture['kind']): Id | undefined => [...studio.pictures.values()].find((each) => each.kind === kind)?.id;
  const photograph = run?.content ?? first('photograph');
  const painting = run?.styles[0] ?? first('painting');
  return {
    photograph: photograph ? pictureUrl(photograph, 512) : null,
    painting: painting ? pictureUrl(painting, 512) : null,
    result: run && run.frame !== null ? frameUrl(run.id, run.frame) : null,
  };
}

const SEEN = 256; // pixels: the lens looks at no picture larger than this

/** How large the network sees the pictures of a run, in pixels; before the first run as large as it would. */
export function sizes(run: RunSummary | null, live: Run | null): Record<Which, Size> {
  const photograph = kept(run?.content, 'photograph');
  const painting = kept(run?.styles[0], 'painting');
  const long = Math.min(SEEN, live && live.width ? Math.max(live.width, live.height) : SEEN);
  const picture = fitted(photograph, long);
  return { photograph: picture, painting: fitted(painting, Math.min(scaleOf(live) * long, longSide(painting))), result: picture };
}

/** The long side of the painting relative to that of the picture, as the settings of the run have it. */
function scaleOf(live: Run | null): number {
  const number = (name: string): number => Number(live?.settings[name] ?? 0);
  const own = live ? Math.max(live.width, live.height) : 0;
  return number('style.size') && own ? number('style.size') / own : number('style.scale') || 1;
}

const longSide = ({ width, height }: Size): number => Math.max(width, height);

function fitted(picture: Size, long: number): Size {
  const side = (pixels: number): number => Math.max(1, Math.round((pixels * long) / longSide(picture)));
  return { width: side(picture.width), height: side(picture.height) };
}

function kept(id: Id | undefined, kind: Picture['kind']): Size {
  const found = id === undefined ? [...studio.pictures.values()].find((each) => each.kind === kind) : studio.pictures.get(id);
  return found ?? { width: 4, height: 3 };
}

/** A path under the lens of a run. What follows # is not sent: it only makes a finished run another question than the
 *  same run while it was painted. */
export function lens(run: RunSummary | null, path: string): string | null {
  if (!run || run.frame === null) return null;
  return `/api/runs/${run.id}/lens/${path}#${PAINTED.includes(run.state) ? 'painted' : run.frame}`;
}

/** A layer's sprites as numbers, remembered with the answer that speaks of them. */
export async function readMaps(path: string, signal: AbortSignal): Promise<LayerMaps> {
  const key = `maps ${path}`;
  return recall<LayerMaps>(key) ?? remember(key, await mapsOf(await answer<Channels>(path, signal)));
}
