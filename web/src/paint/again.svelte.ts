/** What the next painting of the same pictures shall do otherwise: colours kept, and a mask. */

import type { Run } from '../lib/types';

export interface Colours {
  choice: string; // of the knob `color`
  title: string;
  says: string;
}

export const COLOURS: Colours[] = [
  { choice: 'style', title: 'The painting’s', says: 'Strokes and colours both come from the painting.' },
  { choice: 'luminance', title: 'The photograph’s, strictly', says: 'Only light and dark are painted; every hue stays.' },
  { choice: 'after', title: 'The photograph’s, put back at the end', says: 'It is painted in the painting’s colours, then recoloured.' },
  { choice: 'histogram', title: 'The photograph’s palette, tone by tone', says: 'The painting is first recoloured by its histogram.' },
  { choice: 'pca', title: 'The photograph’s palette, on the whole', says: 'The painting’s mean colour and spread are matched first.' },
  { choice: 'cholesky', title: 'The photograph’s palette, by Cholesky', says: 'Like the one before; hues may come out a little otherwise.' },
];

export class Again {
  colour = $state('style');
  mask = $state<(() => string) | null>(null); // gives it as an address; null: none was painted

  constructor(readonly run: Run) {
    this.colour = String(run.settings.color ?? 'style');
  }

  get changed(): boolean {
    return this.mask !== null || this.colour !== this.run.settings.color;
  }
}
