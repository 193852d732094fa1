/** How fast a film is painted: medians over the last moments, told a few times a second, so that they can be read. */

export interface Speed {
  rate: number; // frames a second
  whole: number; // milliseconds for a frame
  painting: number;
  waiting: number; // for other windows
}

const RECENT = 2000; // milliseconds
const TOLD_EVERY = 300;

export class Pace {
  readonly #known: { at: number; whole: number; painting: number; waiting: number }[] = [];
  #told = 0;

  /** A frame is shown now; `timing` is the answer's Server-Timing. The speed, if it is time to tell it again. */
  told(began: number, timing: string): Speed | null {
    const at = performance.now();
    this.#known.push({ at, whole: at - began, painting: part(timing, 'paint'), waiting: part(timing, 'wait') });
    while (this.#known.length > 3 && this.#known[0]!.at < at - RECENT) this.#known.shift();
    if (this.#known.length < 3 || at - this.#told < TOLD_EVERY) return null;
    this.#told = at;
    const between = this.#known.slice(1).map((each, place) => each.at - this.#known[place]!.at);
    const [whole, painting, waiting] = (['whole', 'painting', 'waiting'] as const).map((name) => median(this.#known.map((each) => each[name])));
    return { rate: 1000 / median(between), whole: whole!, painting: painting!, waiting: waiting! };
  }
}

function part(timing: string, name: string): number {
  return Number(timing.match(new RegExp(`${name};dur=([\\d.]+)`))?.[1] ?? 0);
}

function median(values: number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
