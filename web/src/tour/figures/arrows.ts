/** Pulls as arrows from one place: to the right with the content, to the left against it. */

import type { Pull } from '../tug';

export const SIZE = 400; // of the drawing's width
const LONGEST = 130;
const HEAD = 9;

export interface Arrow {
  layer: string;
  kind: 'content' | 'style';
  path: string;
}

/** An arrow for each pull, as long as it is strong beside the strongest; the angle has the cosine with the content. */
export function arrows(pulls: readonly Pull[], most: number, from: readonly [number, number]): Arrow[] {
  return pulls.map(({ layer, strength, along }, index) => {
    const cosine = layer === 'content' ? 1 : Math.min(1, Math.max(-1, along));
    const side = index % 2 ? -1 : 1; // above and below in turn, so that two alike do not cover one another
    const angle = side * Math.acos(cosine);
    const length = (LONGEST * strength) / most;
    return { layer, kind: layer === 'content' ? 'content' : 'style', path: arrow(from, angle, length) };
  });
}

function arrow([x, y]: readonly [number, number], angle: number, length: number): string {
  const at = (radius: number, turn: number): string =>
    `${(x + radius * Math.cos(turn)).toFixed(1)} ${(y + radius * Math.sin(turn)).toFixed(1)}`;
  const tip = [x + length * Math.cos(angle), y + length * Math.sin(angle)] as const;
  const barb = (turn: number): string =>
    `${(tip[0] - HEAD * Math.cos(angle + turn)).toFixed(1)} ${(tip[1] - HEAD * Math.sin(angle + turn)).toFixed(1)}`;
  const head = length > HEAD ? `M${barb(0.5)}L${at(length, angle)}L${barb(-0.5)}` : '';
  return `M${x.toFixed(1)} ${y.toFixed(1)}L${at(length, angle)}${head}`;
}
