/** What the lens answers, asked for when it is needed and remembered: what was seen once is there at once. */

import { get, inWords } from '../lib/api';

const REMEMBERED = 80;
const AT_ONCE = 3; // a browser opens six connections to a host, and pictures and events need some of them

const known = new Map<string, unknown>();
const waiting: (() => void)[] = [];
let free = AT_ONCE;

/** Ask the lens, at most so many questions at a time; the answer is remembered under its path. */
export async function answer<T>(path: string, signal: AbortSignal): Promise<T> {
  if (known.has(path)) return remember(path, known.get(path) as T);
  await turn();
  try {
    signal.throwIfAborted();
    return remember(path, await get<T>(path, signal));
  } finally {
    free++;
    waiting.shift()?.();
  }
}

/** What is known already, without asking. */
export const recall = <T>(path: string): T | null => (known.get(path) as T | undefined) ?? null;

/** What the events about its progress call a question: its address. */
export const jobOf = (path: string): string => path.replace(/#.*/, '');

/** Keep an answer, the newest last; the oldest is forgotten. */
export function remember<T>(path: string, found: T): T {
  known.delete(path);
  known.set(path, found);
  for (const oldest of [...known.keys()].slice(0, -REMEMBERED)) known.delete(oldest);
  return found;
}

async function turn(): Promise<void> {
  while (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
  free--;
}

/** One question that follows what is looked at. `value` stays until the next answer is there; `current` says whether it
 *  is the answer to what is asked now. With `rest`, what is not known is asked only after so many milliseconds: whoever
 *  walks through the layers leaves no trail of long work behind. */
export class Asked<T> {
  value = $state.raw<T | null>(null);
  error = $state<string | null>(null);
  #answered = $state<string | null>(null);
  #asked = $state<string | null>(null);
  #tries = $state(0);

  /** Inside a component: `path` gives null while there is nothing to ask. */
  constructor(path: () => string | null, ask: (path: string, signal: AbortSignal) => Promise<T> = answer, rest = 0) {
    const wanted = $derived(path()); // the same words are the same question, however often the run tells of itself
    $effect(() => {
      const asked = wanted;
      void this.#tries;
      this.#asked = asked;
      this.error = null;
      if (asked === null) return;
      const leaving = new AbortController();
      const ready = rest && !known.has(asked) ? new Promise((resolve) => setTimeout(resolve, rest)) : Promise.resolve();
      ready.then(() => ask(asked, leaving.signal)).then(
        (found) => !leaving.signal.aborted && this.#take(asked, found),
        (caught: unknown) => !leaving.signal.aborted && (this.error = inWords(caught)),
      );
      return () => leaving.abort();
    });
  }

  get path(): string | null {
    return this.#asked;
  }

  get current(): boolean {
    return this.#asked !== null && this.#answered === this.#asked;
  }

  get waiting(): boolean {
    return this.#asked !== null && !this.current && this.error === null;
  }

  again(): void {
    this.#tries++;
  }

  #take(path: string, found: T): void {
    this.#answered = path;
    this.value = found;
  }
}
