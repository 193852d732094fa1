/** The columns of a painting's losses as the chart wants them. */

import type { Run } from '../lib/types';
import { colourOf, nameOf, type Colour } from './shares';

export interface Series {
  name: string;
  kind: Colour;
  values: (number | null)[];
}

export interface Drawn {
  x: number[];
  series: Series[];
}

const LEAST = 1e-5; // of the largest loss
const BESIDE = 1e-6; // of a step: where the upper end of a mark stands

/** One curve a term, weighted; and an upright line where the settings were changed. */
export function curvesOf(run: Run): Drawn {
  const { index, weighted } = run.steps_made;
  const series = run.terms.map((term, place) => ({
    name: `${term.kind === 'content' ? 'content ' : ''}${nameOf(term)}${regionOf(term.name)}`,
    kind: colourOf(term.kind),
    values: weighted.map((row) => row[place] ?? null),
  }));
  return marked({ x: index, series: visible(series) }, new Set(run.changes.map((change) => change.index)));
}

/** Without what is next to nothing, which would press all other curves together on a logarithmic axis. */
function visible(series: Series[]): Series[] {
  const least = LEAST * extremes(series)[1];
  return series.map((one) => ({ ...one, values: one.values.map((value) => (value !== null && value > least ? value : null)) }));
}

/** The least value above nought, and the largest. */
function extremes(series: Series[]): [number, number] {
  let [least, most] = [Infinity, 0];
  for (const { values } of series) {
    for (const value of values) {
      if (value !== null && value > 0) [least, most] = [Math.min(least, value), Math.max(most, value)];
    }
  }
  return [least, most];
}

function regionOf(name: string): string {
  const [, region] = name.split(' · ');
  return region ? ` · ${region}` : '';
}

/** An upright line is a curve of two points over one step, from the lowest value drawn to the highest. */
function marked({ x, series }: Drawn, changes: Set<number>): Drawn {
  const places = x.flatMap((index, place) => (changes.has(index) ? [place, place] : [place]));
  if (places.length === x.length) return { x, series };
  const ends = extremes(series);
  const isSecond = (at: number): boolean => places[at - 1] === places[at];
  return {
    x: places.map((place, at) => x[place]! + (isSecond(at) ? BESIDE : 0)),
    series: [
      ...series.map((one) => ({ ...one, values: places.map((place) => one.values[place] ?? null) })),
      {
        name: 'you changed something',
        kind: 'other',
        values: places.map((place, at) => (changes.has(x[place]!) ? ends[isSecond(at) ? 1 : 0] : null)),
      },
    ],
  };
}

/** The totals of two paintings over the steps of both; null where one of them has none. */
export function totalsOf(runs: { name: string; run: Run }[]): Drawn {
  const x = [...new Set(runs.flatMap(({ run }) => run.steps_made.index))].sort((one, other) => one - other);
  const series = runs.map(({ name, run }) => ({
    name,
    kind: 'other' as Colour,
    values: filled(x, run.steps_made.index, run.steps_made.total),
  }));
  return { x, series };
}

/** Values at all of `x`, the last one known standing for those between two steps. */
function filled(x: number[], indices: number[], values: number[]): (number | null)[] {
  let place = -1;
  return x.map((index) => {
    while (place + 1 < indices.length && indices[place + 1]! <= index) place += 1;
    return place < 0 || index > (indices.at(-1) ?? -1) ? null : (values[place] ?? null);
  });
}
