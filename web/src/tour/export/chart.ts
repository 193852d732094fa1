/** Curves as an SVG, both axes logarithmic, for a page without scripts. */

import { short } from '../../lib/numbers';
import type { Line } from './still';

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [640, 260, 60, 30];

export function chartOf(lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points);
  if (points.length < 2) return '';
  const x = scale(points.map(([step]) => Math.max(step, 1)), LEFT, WIDTH - 8);
  const y = scale(points.map(([, value]) => value), HEIGHT - BOTTOM, 8);
  const curves = lines.map(({ kind, points: own }) => {
    const path = own.map(([step, value]) => `${x.place(Math.max(step, 1)).toFixed(1)},${y.place(value).toFixed(1)}`);
    return `<polyline class="${kind}" points="${path.join(' ')}"/>`;
  });
  const steps = x.ends.map((step) => `<text x="${x.place(step)}" y="${HEIGHT - 10}" text-anchor="${step === x.ends[0] ? 'start' : 'end'}">step ${short(step)}</text>`);
  const values = y.ends.map((value) => `<text x="${LEFT - 6}" y="${y.place(value) + 4}" text-anchor="end">${short(value, 2)}</text>`);
  const legend = lines.map(({ name, kind }) => `<span class="${kind}">${name}</span>`).join(' · ');
  return `<figure class="chart"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Losses by step">${curves.join('')}${steps.join('')}${values.join('')}</svg><figcaption>What is still wrong, by step: ${legend}</figcaption></figure>`;
}

function scale(values: readonly number[], from: number, to: number): { place: (value: number) => number; ends: [number, number] } {
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const span = Math.log(high / low) || 1;
  return { place: (value) => from + ((to - from) * Math.log(value / low)) / span, ends: [low, high] };
}
