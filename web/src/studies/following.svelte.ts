/** The studies that are there, and the one that is looked at, kept up to date while it runs. */

import { get, inWords } from '../lib/api';
import { go, route } from '../lib/route.svelte';
import { on } from '../lib/stream';
import type { Id, Study, StudySummary } from '../lib/types';

const AGAIN = 5000; // milliseconds until what runs is asked for again, should its event be lost

export class Following {
  list = $state.raw<StudySummary[] | null>(null);
  study = $state.raw<Study | null>(null);
  error = $state<string | null>(null);
  readonly chosen: Id | null = $derived(route.study);
  #busy = false;
  #again = false;

  /** Ask for the list and the chosen study, and for them again whenever they go on; returns how to stop. */
  begin(): () => void {
    void this.reload();
    const stops = [on('study', () => void this.reload()), on('hello', () => void this.reload())]; // what came before the stream was there
    const again = setInterval(() => this.list?.some(({ state }) => state === 'running') && void this.reload(), AGAIN);
    return () => {
      clearInterval(again);
      stops.forEach((stop) => stop());
    };
  }

  choose(id: Id | null): void {
    go({ study: id });
    this.study = null;
    void this.reload();
  }

  /** One question at a time: what changed meanwhile is asked for afterwards. */
  async reload(): Promise<void> {
    this.#again = this.#busy;
    if (this.#busy) return;
    this.#busy = true;
    try {
      this.list = await get<StudySummary[]>('/api/studies');
      if (this.chosen && !this.list.some(({ id }) => id === this.chosen)) go({ study: null });
      const wanted = this.chosen;
      const found = wanted ? await this.#read(wanted) : null;
      if (wanted === this.chosen) this.study = found;
      this.error = null;
    } catch (caught) {
      this.error = inWords(caught);
    }
    this.#busy = false;
    if (this.#again || (this.chosen ?? null) !== (this.study?.id ?? null)) if (!this.error) void this.reload();
  }

  /** A study with as many of its trials as are shown already. */
  async #read(id: Id): Promise<Study> {
    const study = await get<Study>(`/api/studies/${id}`);
    const shown = this.study?.id === id ? this.study.trials_table.length : 0;
    while (study.trials_table.length < Math.min(shown, study.total)) if (!(await append(study))) break;
    return study;
  }

  /** The next trials of a study that is too long for one answer. */
  async more(): Promise<void> {
    if (!this.study) return;
    const longer = { ...this.study, trials_table: [...this.study.trials_table] };
    try {
      await append(longer);
      if (longer.id === this.study?.id) this.study = longer;
    } catch (caught) {
      this.error = inWords(caught);
    }
  }

  take(changes: Pick<Study, 'choice' | 'preferences'>): void {
    if (this.study) this.study = { ...this.study, ...changes };
  }
}

async function append(study: Study): Promise<boolean> {
  const next = await get<Study>(`/api/studies/${study.id}?offset=${study.trials_table.length}`);
  study.trials_table.push(...next.trials_table);
  return next.trials_table.length > 0;
}
