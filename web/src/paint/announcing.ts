/** How far something is, read aloud sparingly: each tenth of the way, and the end. */

import { studio } from '../lib/state.svelte';
import type { RunState } from '../lib/types';

/** To be called whenever it changes. */
export function announcer(): (state: RunState, share: number, said: string) => void {
  let told = -1; // tenths
  return (state, share, said) => {
    const tenth = Math.floor(10 * share);
    if (state === 'running' && told >= 0 && tenth > told && tenth < 10) studio.announce(`${10 * tenth} per cent painted.`);
    if (state !== 'running' && told >= 0) studio.announce(`${said}.`);
    told = state === 'running' ? tenth : -1;
  };
}
