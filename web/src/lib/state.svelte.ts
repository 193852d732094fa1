/** What this tab knows: the state of the studio, the runs, the jobs, and where the pointer is. */

import { SvelteMap } from 'svelte/reactivity';

import { ApiError, get, inWords } from './api';
import { LiveRun } from './live.svelte';
import { follow, on } from './stream';
import type { Id, Picture, Run, RunSummary, State, StreamEvents, Which } from './types';

type Job = StreamEvents['job'];

const KEPT = 8; // runs with all their steps; the list of runs is always whole
const SETTLES = 250; // milliseconds after the last change of weights before the run is asked for again

class Studio {
  state = $state.raw<State | null>(null);
  ready = $state(false); // torch is loaded
  error = $state<string | null>(null); // why there is nothing to show
  locked = $state(false); // the token is missing
  said = $state(''); // for the live region
  readonly runs = new SvelteMap<Id, RunSummary>();
  readonly jobs = new SvelteMap<string, Job>();
  readonly pictures = new SvelteMap<Id, Picture>();
  readonly #live = new Map<Id, Promise<LiveRun>>();
  readonly #asking = new Set<(() => void)[]>(); // for each question that is open, what changed since it was asked
  readonly #settling = new Map<Id, ReturnType<typeof setTimeout>>();

  /** Begin: called once, by the page's frame. */
  open(): void {
    on('hello', () => void this.refresh(true));
    on('ready', () => void this.refresh()); // what it takes is known better now
    on('run', (summary) => this.#heard(summary));
    on('gone', ({ run }) => this.#forget(run));
    on('step', (step) => this.#tell(step.run, (live) => live.step(step)));
    on('frame', (frame) => this.#tell(frame.run, (live) => live.frameMade(frame)));
    on('terms', ({ run, terms }) => {
      this.#tell(run, (live) => (live.terms = terms));
      this.#settle(run);
    });
    on('job', (job) => this.jobs.set(job.key, job));
    on('picture', (picture) => this.bring(picture));
    void this.refresh();
    follow(() => void this.refresh(true), () => void this.refresh());
  }

  /** Ask for everything anew; `all`: the kept runs too, after the stream was away. */
  async refresh(all = false): Promise<void> {
    const missed: (() => void)[] = [];
    this.#asking.add(missed);
    try {
      this.#take(await get<State>('/api/state'));
      for (const change of missed) change();
      if (all) for (const id of this.#live.keys()) void this.#reload(id);
    } catch (caught) {
      this.locked = caught instanceof ApiError && caught.status === 401;
      this.error = this.locked ? null : inWords(caught);
    } finally {
      this.#asking.delete(missed);
    }
  }

  /** A run was ordered; the stream may have told of it already, and of more. */
  begun(run: RunSummary): void {
    this.#change(() => this.runs.has(run.id) || this.runs.set(run.id, run));
  }

  /** A picture is in the gallery. */
  bring(picture: Picture): void {
    this.#change(() => this.pictures.set(picture.id, picture));
  }

  /** A picture is there no longer. */
  remove(id: Id): void {
    this.#change(() => this.pictures.delete(id));
  }

  /** One run with its steps and frames, kept up to date by the stream. */
  run(id: Id): Promise<Run> {
    const kept = this.#live.get(id) ?? get<Run>(`/api/runs/${id}`).then((run) => new LiveRun(run));
    this.#live.delete(id);
    this.#live.set(id, kept); // the newest last
    kept.catch(() => this.#live.delete(id));
    for (const oldest of [...this.#live.keys()].slice(0, -KEPT)) this.#live.delete(oldest);
    return kept;
  }

  /** Read this aloud to whoever cannot see the change. */
  announce(said: string): void {
    this.said = said;
  }

  #take(state: State): void {
    this.state = state;
    this.ready = state.ready;
    this.error = null;
    this.locked = false;
    replace(this.runs, state.runs);
    replace(this.pictures, state.pictures);
  }

  /** Do it now, and again on every answer that is older. */
  #change(what: () => void): void {
    what();
    for (const missed of this.#asking) missed.push(what);
  }

  #heard(summary: RunSummary): void {
    this.#change(() => this.runs.set(summary.id, summary));
    this.#tell(summary.id, (live) => live.summarise(summary));
    if (!['running', 'waiting'].includes(summary.state)) this.#settle(summary.id);
    if (summary.state === 'finished') void this.refresh(); // how long the presets take is known better now
  }

  #forget(id: Id): void {
    this.#change(() => this.runs.delete(id));
    this.#live.delete(id);
  }

  #tell(id: Id, what: (live: LiveRun) => void): void {
    void this.#live.get(id)?.then(what, () => undefined);
  }

  #settle(id: Id): void {
    clearTimeout(this.#settling.get(id));
    this.#settling.set(id, setTimeout(() => void this.#reload(id), SETTLES));
  }

  async #reload(id: Id): Promise<void> {
    this.#settling.delete(id);
    const live = await this.#live.get(id)?.catch(() => undefined);
    if (!live) return;
    try {
      live.take(await get<Run>(`/api/runs/${id}`));
    } catch (caught) {
      if (caught instanceof ApiError && caught.status === 404) this.#forget(id);
    }
  }
}

function replace<T extends { id: Id }>(kept: SvelteMap<Id, T>, now: T[]): void {
  const there = new Set(now.map(({ id }) => id));
  for (const id of kept.keys()) if (!there.has(id)) kept.delete(id);
  for (const thing of now) kept.set(thing.id, thing);
}

export const studio = new Studio();

/** Where the reader points: every panel follows it, and pointing never asks the server. */
export const cursor: {
  picture: Which | null;
  layer: string | null;
  x: number; // 0 … 1 from the left
  y: number; // 0 … 1 from the top
  channel: number | null;
  frame: number | null;
} = $state({ picture: null, layer: null, x: 0.5, y: 0.5, channel: null, frame: null });
