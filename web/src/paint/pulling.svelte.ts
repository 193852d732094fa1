/** The pulls of the frames that were pointed at: each is asked for once, when the frame has stood for a moment. */

import { get, inWords } from '../lib/api';
import { cursor } from '../lib/state.svelte';
import type { Pulls, Run } from '../lib/types';
import { Field, type Spot } from './pulls';

const STILL = 250; // milliseconds that a frame is shown before its pulls are asked for
const REST = 3000; // milliseconds between two frames of a painting that runs, which it would slow down
const NET = 32; // cells along each side, until the first pulls tell

export class Pulling {
  error = $state<string | null>(null);
  place = $state<{ x: number; y: number } | null>(null); // the last spot that was pointed at
  #field = $state.raw<Field | null>(null);
  readonly #known = new Map<number, Field>();
  #last = 0; // when one was asked for
  #wanted = -1;
  readonly #pointed = $derived(this.place !== null); // so that moving on does not begin the waiting anew

  /** What pulls at the spot, in the frame `index` or the one known last. */
  readonly spot: Spot | null = $derived.by(() => (this.place && this.#field ? this.#field.at(this.place.x, this.place.y) : null));

  constructor(readonly run: Run) {}

  get index(): number | null {
    return this.#field?.index ?? null;
  }

  get grid(): number {
    return this.#field?.grid ?? NET;
  }

  /** Follow the shared cursor: for an effect. */
  follow(): void {
    if (cursor.picture) this.place = { x: cursor.x, y: cursor.y };
  }

  /** See to it that the pulls of a frame are there, soon: for an effect; returns what calls it off. */
  want(index: number, growing: boolean): (() => void) | undefined {
    this.#wanted = index;
    const known = this.#known.get(index);
    if (known) this.#field = known;
    if (known || !this.#pointed || (growing && !cursor.picture)) return undefined;
    const rest = growing ? Math.max(STILL, this.#last + REST - Date.now()) : STILL;
    const timer = setTimeout(() => void this.#ask(index), rest);
    return () => clearTimeout(timer);
  }

  async #ask(index: number): Promise<void> {
    this.#last = Date.now();
    try {
      const field = new Field(await get<Pulls>(`/api/runs/${this.run.id}/lens/pulls/${index}.json`));
      this.#known.set(index, field);
      this.#field = this.#known.get(this.#wanted) ?? field; // another frame may be shown by now
      this.error = null;
    } catch (caught) {
      this.error = inWords(caught);
    }
  }
}
