/** The knobs that act on a painting while it is painted; when it is done, the same ones begin a branch. */

import { inWords, post } from '../lib/api';
import { studio } from '../lib/state.svelte';
import type { Control, Id, Run, RunRequest, RunSummary } from '../lib/types';
import { isLive } from './view.svelte';

export type Value = number | number[];
export type Values = Record<string, Value>;

export const FADERS = 'style.layer_weights'; // five factors, one a block of the network
export const SLIDERS = ['strength', 'content.weight', 'style.weight', 'smoothness.weight'] as const;
const QUIET = 160; // milliseconds without a further movement before the server is told

export class Steering {
  error = $state<string | null>(null);
  moved: Values = $state.raw({}); // by the reader, and not yet in what the server tells of the painting
  readonly #unsent = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly run: Run) {}

  number(name: string): number {
    const value = this.#value(name);
    return typeof value === 'number' ? value : 1;
  }

  faders(): number[] {
    const value = this.#value(FADERS);
    return Array.isArray(value) ? value : [1, 1, 1, 1, 1];
  }

  set(name: string, value: Value): void {
    this.moved = { ...this.moved, [name]: value };
    if (!isLive(this.run.state)) return;
    this.#unsent.add(name);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#send(), QUIET);
  }

  /** Forget what the server knows by now; for whenever the painting's settings come anew. */
  settle(): void {
    if (isLive(this.run.state)) this.moved = Object.fromEntries(Object.entries(this.moved).filter(([name]) => this.#unsent.has(name)));
  }

  reset(): void {
    this.moved = {};
    this.error = null;
  }

  #value(name: string): unknown {
    return this.moved[name] ?? this.run.settings[name];
  }

  async #send(): Promise<void> {
    const settings = Object.fromEntries(Object.entries(this.moved).filter(([name]) => this.#unsent.has(name)));
    this.#unsent.clear();
    this.error = await control(this.run.id, { action: 'change', settings });
    if (this.error && isLive(this.run.state)) this.moved = {}; // the sliders show what is
  }
}

/** Tell a painting what to do; answers with what was wrong, or null. */
export async function control(id: Id, what: Control): Promise<string | null> {
  try {
    await post(`/api/runs/${id}/control`, what);
    return null;
  } catch (caught) {
    return inWords(caught);
  }
}

/** The same pictures again with some of it changed; `start` begins with a frame that is there. */
export function paintAgain(run: Run, changes: Pick<RunRequest, 'settings' | 'start' | 'mask'>): Promise<RunSummary> {
  const offered = (studio.state?.knobs ?? []).map(({ name }) => name).filter((name) => isToldAgain(run, name, changes.start !== undefined));
  const kept = Object.fromEntries(offered.map((name) => [name, run.settings[name]])) as RunRequest['settings'];
  const settings = { ...kept, ...changes.settings };
  return post<RunSummary>('/api/runs', { ...changes, content: run.content, styles: run.styles, preset: run.preset, settings });
}

/** Whether a knob's value goes along. How a branch starts, and how many steps its sizes need, the server works out
 *  itself; a number of steps that somebody chose goes along all the same. */
function isToldAgain(run: Run, name: string, branch: boolean): boolean {
  if (name === 'init') return run.settings.init !== 'file';
  const usual = studio.state?.presets.find((preset) => preset.name === run.preset)?.steps;
  return name !== 'steps' || !(run.parent || (branch && run.settings.steps === usual));
}
