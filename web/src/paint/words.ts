/** What the page says about a painting, in plain words. */

import { duration, short } from '../lib/numbers';
import type { Run, RunSummary } from '../lib/types';

const KNOBS: Record<string, string> = {
  strength: 'strength',
  'content.weight': 'content',
  'style.weight': 'style',
  'smoothness.weight': 'smoothness',
  'style.layer_weights': 'style by layer',
};

export const STATES: Record<RunSummary['state'], string> = {
  waiting: 'Waiting',
  running: 'Painting',
  paused: 'Paused',
  finished: 'Finished',
  stopped: 'Stopped',
  interrupted: 'Interrupted when the studio ended',
  failed: 'Failed',
};

export function stateInWords(run: RunSummary): string {
  const parts = [STATES[run.state]];
  if (run.state !== 'waiting') parts.push(run.state === 'finished' ? `${run.index} steps` : `step ${run.index} of ${run.steps}`);
  if (run.state === 'running' && run.remaining !== null) parts.push(`about ${duration(run.remaining)} left`);
  if (run.state === 'finished' && run.seconds) parts.push(duration(run.seconds));
  return parts.join(' · ');
}

/** How many paintings come before this one; the one that is painted now counts. */
export function placeInQueue(runs: Iterable<RunSummary>, run: RunSummary): number {
  const before = (other: RunSummary): boolean => other.state === 'running' || (other.state === 'waiting' && other.started < run.started);
  return [...runs].filter((other) => other.id !== run.id && before(other)).length;
}

/** Each change that was made while it painted: "strength 1.4". */
export function changesInWords(run: Run): { index: number; says: string }[] {
  return run.changes.map(({ index, settings }) => ({
    index,
    says: Object.entries(settings).map(([name, value]) => knobInWords(name, value)).join(', '),
  }));
}

export function knobInWords(name: string, value: number | number[]): string {
  return `${KNOBS[name] ?? name} ${[value].flat().map((each) => short(each)).join(' ')}`;
}
