/** The losses of a run by kind and by term, as the tour's figures show them. */

import type { Run, Term } from '../../lib/types';
import { colourOf, nameOf, type Colour } from '../../paint/shares';

const NAMES: Record<Colour, string> = { content: 'content', style: 'style', other: 'smoothness' };

const kindOf = ({ kind }: Term): Colour => colourOf(kind);

/** Three curves: what content, style and smoothness add to the loss at every step. Terms without weight are left out. */
export function seriesOf(run: Run): { name: string; kind: Colour; values: (number | null)[] }[] {
  const kinds = (['content', 'style', 'other'] as const).filter((kind) => run.terms.some((term) => kindOf(term) === kind));
  return kinds.map((kind) => {
    const places = run.terms.flatMap((term, at) => (kindOf(term) === kind ? [at] : []));
    return { name: NAMES[kind], kind, values: run.steps_made.weighted.map((values) => sumAt(values, places)) };
  });
}

function sumAt(values: readonly number[], places: readonly number[]): number | null {
  return places.reduce((sum, at) => sum + (values[at] ?? 0), 0) || null;
}

/** The place in the columns of the step nearest to an index; −1 where there is none. */
export function stepOf(run: Run, index: number): number {
  return run.steps_made.index.reduce(
    (best, step, at) => (best < 0 || Math.abs(step - index) < Math.abs(run.steps_made.index[best]! - index) ? at : best),
    -1,
  );
}

/** The step nearest to an index at which gradients were measured; −1 where there is none. */
export function measuredStep(run: Run, index: number): number {
  const { index: steps, gradients } = run.steps_made;
  return steps.reduce(
    (best, step, at) => (gradients[at] && (best < 0 || Math.abs(step - index) < Math.abs(steps[best]! - index)) ? at : best),
    -1,
  );
}

export interface Stop {
  layer: string; // "pixels" for terms that look at no layer
  kind: Colour;
  name: string;
  share: number; // of the loss
  pull: number | null; // length of the gradient, relative to the longest
}

/** Every term at one step, in the order of the journey: from the pixels to the deepest layer. */
export function journey(run: Run, at: number, order: readonly string[]): Stop[] {
  const { total, weighted, gradients } = run.steps_made;
  const pulls = gradients[at] ?? null;
  const longest = Math.max(...(pulls ?? [0]), Number.MIN_VALUE);
  const depth = ({ layer }: Stop): number => order.indexOf(layer);
  return run.terms
    .map((term, index) => ({
      layer: order.includes(term.layer) ? term.layer : 'pixels',
      kind: kindOf(term),
      name: kindOf(term) === 'other' ? nameOf(term) : term.name,
      share: (weighted[at]?.[index] ?? 0) / (total[at] || 1),
      pull: pulls ? (pulls[index] ?? 0) / longest : null,
    }))
    .sort((one, other) => depth(one) - depth(other));
}
