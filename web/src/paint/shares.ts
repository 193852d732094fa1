/** How the pull on the picture is shared between the layers, as bars show it. */

import type { Run, Term } from '../lib/types';
import { rowAt } from './timeline';

export type Colour = 'content' | 'style' | 'other';

export interface Share {
  name: string; // relu4_2, smoothness
  colour: Colour;
  share: number; // of the sum of all gradients' lengths, 0 … 1
}

export interface Shares {
  index: number; // the evaluation that was looked at
  shares: Share[];
}

export function colourOf(kind: Term['kind']): Colour {
  return kind === 'content' || kind === 'style' ? kind : 'other';
}

/** What a term is called on the page: its layer, or plain words for what is asked of the pixels themselves. */
export function nameOf(term: Term): string {
  if (term.kind === 'tv') return term.name === 'chroma' ? 'colour speckle' : 'smoothness';
  if (term.kind === 'box') return 'colour range';
  return term.layer;
}

/** Each layer's share of the pull at the newest watched evaluation up to `index`: ‖gᵢ‖ / Σ ‖gⱼ‖; null before the first. */
export function sharesAt(run: Run, index: number): Shares | null {
  const made = run.steps_made;
  for (let row = rowAt(made.index, index); row >= 0; row--) {
    const gradients = made.gradients[row];
    if (gradients) return { index: made.index[row]!, shares: shared(run.terms, gradients) };
  }
  return null;
}

function shared(terms: Term[], gradients: number[]): Share[] {
  const sum = gradients.reduce((all, each) => all + each, 0) || 1;
  const found = new Map<string, Share>();
  terms.forEach((term, position) => {
    const key = `${term.kind} ${nameOf(term)}`; // regions of one layer are added up
    const share = found.get(key) ?? { name: nameOf(term), colour: colourOf(term.kind), share: 0 };
    share.share += (gradients[position] ?? 0) / sum;
    found.set(key, share);
  });
  return [...found.values()];
}
