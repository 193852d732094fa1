/** Who pulls how hard at each place, read from what the server packs into bytes. */

import type { Pulls } from '../lib/types';
import type { Place } from './view';

const BORDER = 4; // cells along each side that no place is chosen in

export interface Pull {
  layer: string; // "content", then the style layers
  strength: number;
  along: number; // −1 against the content's pull … 1 with it
}

export class Tug {
  readonly #magnitudes: Uint8Array;
  readonly #directions: Uint8Array;

  constructor(readonly pulls: Pulls) {
    this.#magnitudes = bytes(pulls.magnitudes);
    this.#directions = bytes(pulls.directions);
  }

  /** Every term's pull in the cell at x, y (0…1). */
  at(x: number, y: number): Pull[] {
    const { layers, full } = this.pulls;
    const first = this.#cell(x, y) * layers.length;
    return layers.map((layer, index) => ({
      layer,
      strength: (this.#magnitudes[first + index]! / 255) * full,
      along: (this.#directions[first + index]! - 127) / 127,
    }));
  }

  /** For each cell, log₂ of the strongest style layer's pull over the content's, each with its factor. */
  balance(content: number, style: number): number[] {
    const { grid, layers } = this.pulls;
    return Array.from({ length: grid * grid }, (_, cell) => {
      const own = this.#magnitudes.subarray(cell * layers.length, (cell + 1) * layers.length);
      const strongest = Math.max(...own.subarray(1));
      return Math.log2(((strongest + 0.5) * style) / ((own[0]! + 0.5) * content)); // half a level: none is quite 0
    });
  }

  /** The middle of the cell where content pulls most, where style does, or where both do most against each other. */
  place(which: Place): [number, number] {
    const { grid, layers } = this.pulls;
    let best = 0;
    let most = -Infinity;
    for (let cell = 0; cell < grid * grid; cell++) {
      if (this.#onBorder(cell)) continue;
      const score = this.#score(which, cell * layers.length);
      if (score > most) [best, most] = [cell, score];
    }
    return [((best % grid) + 0.5) / grid, (Math.floor(best / grid) + 0.5) / grid];
  }

  #score(which: Place, first: number): number {
    const content = this.#magnitudes[first]!;
    let [style, against] = [0, 0];
    for (let index = first + 1; index < first + this.pulls.layers.length; index++) {
      style += this.#magnitudes[index]!;
      against -= (this.#magnitudes[index]! * (this.#directions[index]! - 127)) / 127;
    }
    return { content, style, fight: Math.min(content, against) }[which];
  }

  /** Beyond the border the network sees what is not there, which pulls too; that would only confuse. */
  #onBorder(cell: number): boolean {
    const { grid } = this.pulls;
    const [row, column] = [Math.floor(cell / grid), cell % grid];
    return Math.min(row, column, grid - 1 - row, grid - 1 - column) < BORDER;
  }

  #cell(x: number, y: number): number {
    const { grid } = this.pulls;
    const place = (value: number): number => Math.min(grid - 1, Math.max(0, Math.floor(value * grid)));
    return place(y) * grid + place(x);
  }
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
