/** What is ordered from the painter: a run like another one, but for something. */

import { post } from '../lib/api';
import { studio } from '../lib/state.svelte';
import type { Run, RunRequest, RunSummary } from '../lib/types';

/** The same photograph with the same settings; the seed is the same, so that what differs is what was changed. */
export function likeness(run: Run): RunRequest {
  const offered = (studio.state?.knobs ?? []).map(({ name }) => name);
  const settings: NonNullable<RunRequest['settings']> = {};
  for (const name of offered) {
    const value = run.settings[name];
    if (value !== undefined && typeof value !== 'boolean') settings[name] = value;
  }
  return { content: run.content, styles: run.styles, preset: run.preset, settings };
}

/** Begin to paint. */
export async function order(request: RunRequest): Promise<RunSummary> {
  const run = await post<RunSummary>('/api/runs', request);
  studio.begun(run);
  return run;
}
