/** The films that may be painted, those that are, and the one that is looked at, kept up to date while it grows. */

import { get, inWords, remove } from '../lib/api';
import { go, route } from '../lib/route.svelte';
import { on } from '../lib/stream';
import type { Clip, Films, Id, ShownFilm, StreamEvents } from '../lib/types';
import { bring, type Underway } from '../start/bringing.svelte';

export class Cinema implements Underway {
  all = $state.raw<Films | null>(null);
  film = $state.raw<ShownFilm | null>(null);
  error = $state<string | null>(null);
  clip = $state<Id>('demo'); // chosen to be painted
  name = $state('');
  share = $state<number | null>(null);
  wrong = $state<string | null>(null);
  #last: Promise<unknown> = Promise.resolve();

  /** Keep up until the returned function is called. */
  begin(): () => void {
    const stops = [on('film', () => void this.reload()), on('hello', () => void this.reload()), on('moment', (moment) => this.#add(moment))];
    return () => stops.forEach((stop) => stop());
  }

  reload(): Promise<void> {
    return this.#inTurn(() => this.#ask());
  }

  /** Delete a film; nothing under way asks for it afterwards. */
  delete(id: Id): Promise<void> {
    return this.#inTurn(() => remove(`/api/films/${id}`).then(() => this.#ask()));
  }

  #inTurn(what: () => Promise<void>): Promise<void> {
    const done = this.#last.then(what);
    this.#last = done.catch(() => undefined); // whoever asked is told
    return done;
  }

  async #ask(): Promise<void> {
    try {
      const all = await get<Films>('/api/films');
      const deleted = route.film === this.film?.id && !all.films.some((each) => each.id === route.film);
      if (deleted) go({ film: null, frame: null });
      const film = route.film ? await get<ShownFilm>(`/api/films/${route.film}`) : null;
      [this.all, this.film, this.error] = [all, film, null];
    } catch (caught) {
      [this.error, this.film] = [inWords(caught), null];
    }
  }

  /** One more frame; should one have been missed, all is asked for. */
  #add({ film: id, index, remaining, ...told }: StreamEvents['moment']): void {
    const film = this.film;
    if (film?.id !== id || index < film.index) return;
    if (index > film.index) return void this.reload();
    for (const [name, value] of Object.entries(told)) (film.moments[name as keyof typeof told] as unknown[]).push(value);
    this.film = { ...film, index: index + 1, remaining };
  }

  /** Bring a film of one's own, and choose it. */
  async bring(files: FileList | null | undefined): Promise<void> {
    this.wrong = null;
    const file = files?.[0];
    if (!file) return;
    await bring<Clip>(this, file, 'film', '/api/clips', this.all?.limits.bytes, (clip) => (this.clip = clip.id));
    await this.reload();
  }
}
