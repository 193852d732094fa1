/** What the lens says of a run, asked once a tab: the tour comes back to the same figures. */

import { get } from '../lib/api';
import type { Id, StreamEvents } from '../lib/types';

const answers = new Map<string, Promise<unknown>>();

/** The answer to `lens/PATH` of a run; it may take a while the first time. A failure is asked again the next time. */
export function lens<T>(run: Id, path: string): Promise<T> {
  const address = `/api/runs/${run}/lens/${path}`;
  const known = answers.get(address) ?? get<T>(address);
  answers.set(address, known);
  known.catch(() => answers.delete(address));
  return known as Promise<T>;
}

/** The job of a run that is under way, if any: what a figure is waiting for. */
export function jobOf(run: Id, jobs: Iterable<StreamEvents['job']>): StreamEvents['job'] | null {
  const own = [...jobs].filter((job) => job.key.includes(run) && (job.state === 'running' || job.state === 'waiting'));
  return own.find((job) => job.state === 'running') ?? own[0] ?? null;
}
