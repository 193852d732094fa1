/** What every figure of the tour is given. */

import { frameUrl, pictureUrl } from '../../lib/api';
import type { Run, Which } from '../../lib/types';
import type { View } from '../view';

export interface FigureProps {
  run: Run;
  view: View;
  change: (changes: Partial<View>) => void;
}

const LAYERS = ['relu1_1', 'relu2_1', 'relu3_1', 'relu4_1', 'relu5_1'] as const;

export const LAYER_OPTIONS = LAYERS.map((layer) => [layer, layer] as const) as readonly (readonly [string, string])[];

export const WHICH_OPTIONS: readonly (readonly [Which, string])[] = [
  ['photograph', 'Photograph'],
  ['painting', 'Painting'],
  ['result', 'Result'],
];

const SEEN = 256; // pixels of the long side at which the lens looks at a run

/** The size in pixels at which the lens sees the photograph and the result. */
export function seenSize(run: Run): { width: number; height: number } {
  const factor = Math.min(1, SEEN / Math.max(run.width, run.height, 1));
  return { width: Math.round(run.width * factor), height: Math.round(run.height * factor) };
}

/** The frame that a view means: its index in `run.frames`, −1 where there is none. */
export function frameAt(run: Run, frame: View['frame']): number {
  const last = run.frames.length - 1;
  if (frame === 'first') return Math.min(0, last);
  if (frame === 'last') return last;
  const wanted = frame === 'half' ? (run.frames[last]?.index ?? 0) / 2 : frame;
  return run.frames.reduce(
    (best, { index }, at) =>
      Math.abs(index - wanted) < Math.abs((run.frames[best]?.index ?? Infinity) - wanted) ? at : best,
    Math.min(0, last),
  );
}

/** Where a picture of a run is; the result being its newest frame. */
export function sourceOf(run: Run, which: Which): string {
  if (which === 'result') return frameUrl(run.id, run.frames.at(-1)?.index ?? 0);
  return pictureUrl(which === 'photograph' ? run.content : (run.styles[0] ?? ''), 512);
}
