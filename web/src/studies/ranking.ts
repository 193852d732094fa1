/** Trials in order, and which of them may be called best: only within one group, one pair, and where nothing forbids it. */

import { short } from '../lib/numbers';
import type { Study, Trial } from '../lib/types';

export interface Order {
  column: string; // number, pair, seconds, "level AXIS" or "score NAME"
  down: boolean; // the largest first
}

export type Score = Study['scores'][number];

export const valueOf = (trial: Trial, column: string): string | number | null => {
  const [kind = '', name = ''] = split(column);
  if (kind === 'level') return trial.levels[name] ?? null;
  if (kind === 'score') return trial.scores[name] ?? null;
  return trial[column as 'number' | 'pair' | 'state' | 'seconds'];
};

/** Trials by one column; pairs stay together when it is a score, since another pair is another question. */
export function inOrder(trials: readonly Trial[], { column, down }: Order): Trial[] {
  const byPair = column.startsWith('score ');
  return [...trials].sort((one, other) => {
    if (byPair && one.pair !== other.pair) return one.pair.localeCompare(other.pair);
    const [a, b] = [valueOf(one, column), valueOf(other, column)];
    if (a === null || b === null) return Number(a === null) - Number(b === null); // what is missing comes last
    const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
    return (down ? -order : order) || one.number - other.number;
  });
}

/** Why a score of a group must not be ranked, as the study says; null where it may. */
export function refusal(study: Study, group: string, title: string): string | null {
  const rule = `${group}: ${title} must not be ranked`;
  return study.warnings.find((warning) => warning.startsWith(rule)) ?? null;
}

/** What warns of one group, and what warns of the study as a whole. */
export function warningsOf(study: Study, group: string): string[] {
  const groups = study.groups.map((each) => `${each.name}: `);
  const own = `${group}: `;
  return study.warnings.filter((text) => text.startsWith(own) || !groups.some((name) => text.startsWith(name)));
}

/** The numbers of the best trials by a score, one for each pair of more than one trial; none where it must not be ranked. */
export function bests(study: Study, group: string, score: Score, trials: readonly Trial[]): Set<number> {
  const found = new Set<number>();
  if (refusal(study, group, score.title)) return found;
  for (const own of Map.groupBy(trials, (trial) => trial.pair).values()) {
    const known = own.filter((trial) => trial.scores[score.name] !== undefined);
    if (known.length < 2) continue;
    const values = known.map((trial) => trial.scores[score.name]!);
    const best = score.better === 'lower' ? Math.min(...values) : Math.max(...values);
    for (const trial of known) if (trial.scores[score.name] === best) found.add(trial.number);
  }
  return found;
}

/** The levels of a trial in a few words. */
export function inWords(trial: Trial, axes: readonly string[]): string {
  const said = axes
    .filter((axis) => trial.levels[axis] !== undefined)
    .map((axis) => `${axisName(axis)} ${shown(trial.levels[axis]!)}`);
  return said.join(' · ') || 'as the base';
}

/** An axis as a heading: "style.weight" is "style weight". */
export const axisName = (axis: string): string => axis.replaceAll('.', ' ').replaceAll('_', ' ');

/** The network that all of some scores were measured with, "" if none was, or several. */
export function networkOf(scores: readonly Score[]): string {
  const networks = new Set(scores.map(({ name }) => name.split('@')[1]).filter(Boolean));
  return networks.size === 1 ? ([...networks][0] ?? '') : '';
}

/** A level as it is read; numbers in four figures. */
export function shown(value: string | number | null): string {
  if (value === null) return '–';
  return typeof value === 'string' ? value : short(value, 4);
}

function split(column: string): [string, string] {
  const space = column.indexOf(' ');
  return space < 0 ? [column, ''] : [column.slice(0, space), column.slice(space + 1)];
}
