/** How far a study is, in words. */

import type { StudySummary } from '../lib/types';

export const STATES: Record<StudySummary['state'], string> = { running: 'Running now', done: 'Finished', stopped: 'Not finished; nothing works on it now' };

/** Trials of which nothing more will come. */
export const ended = ({ trials }: StudySummary): number => (trials['done'] ?? 0) + (trials['pruned'] ?? 0) + (trials['set aside'] ?? 0);
