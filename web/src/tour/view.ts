/** What the figure beside a step shows. The layer, the frame and the pair are in the URL too; the rest is kept per step. */

import type { Which } from '../lib/types';
import type { Move } from './markup';

export type Place = 'content' | 'style' | 'fight';

export interface View {
  layer: string;
  frame: number | 'first' | 'half' | 'last';
  picture: Which; // whose channels, whose Gram matrix, whose roughness
  pair: [number, number] | 'wanted';
  made: number | 'first' | 'last'; // which of the pictures on the way from noise, by its place
  together: boolean; // texture from all layers up to this one, or from it alone
  seed: number; // of the shuffle
  shuffled: boolean;
  tile: number | null; // side in pixels of the shuffled tiles of the photograph; null: the layer's positions
  grain: number; // −1 … 1: blurred … as it is … with grain
  pass: 'forward' | 'backward';
  place: [number, number] | Place; // the place pointed at, 0…1
  weights: [number, number]; // factors on the pulls of content and style
}

export const FIRST_VIEW: View = {
  layer: 'relu1_1',
  frame: 'last',
  picture: 'photograph',
  pair: 'wanted',
  made: 'last',
  together: false,
  seed: 0,
  shuffled: false,
  tile: null,
  grain: 0,
  pass: 'forward',
  place: 'fight',
  weights: [1, 1],
};

/** The view after a control was pressed. `seed=next` draws the cards anew. */
export function moved(view: View, move: Move): Partial<View> {
  const changes: Partial<View> = {};
  for (const [name, value] of Object.entries(move)) Object.assign(changes, READERS[name]?.(value, { ...view, ...changes }));
  return changes;
}

const READERS: Record<string, (value: string, view: View) => Partial<View>> = {
  layer: (value) => ({ layer: value }),
  frame: (value) => ({ frame: value as View['frame'] }),
  picture: (value) => ({ picture: value as Which }),
  pair: () => ({ pair: 'wanted' }),
  made: (value) => ({ made: value as View['made'] }),
  together: (value) => ({ together: value === '1' }),
  seed: (_, view) => ({ seed: view.seed + 1, shuffled: true, tile: null }),
  shuffled: (value) => ({ shuffled: value === '1', tile: null }),
  tile: (value) => ({ tile: Number(value), shuffled: true }),
  grain: (value) => ({ grain: Number(value) }),
  pass: (value) => ({ pass: value as View['pass'] }),
  place: (value) => ({ place: value as Place }),
  content: (value, view) => ({ weights: [Number(value), view.weights[1]] }),
  style: (value, view) => ({ weights: [view.weights[0], Number(value)] }),
};

/** Whether pressing a control would change nothing: it is then shown as the present state. */
export function holds(view: View, move: Move): boolean {
  if ('seed' in move) return false;
  const changes = moved(view, move) as Record<string, unknown>;
  const now = view as unknown as Record<string, unknown>;
  return Object.entries(changes).every(([name, value]) => JSON.stringify(now[name]) === JSON.stringify(value));
}
