/**
 * The tour's text, which is plain sentences with four kinds of marked words:
 *   [words](layer=relu1_1&frame=first)   a control: moves the figure beside the text
 *   [[Gram matrix]] or [[layer|layers]]  a term of the glossary, explained in place
 *   {content:words} and {style:words}    in the colour of content or style
 */

import type { Word } from '../lib/words';

/** What a control sets in the figure; names and values are read by `moved` in view.ts. */
export type Move = Record<string, string>;

export type Piece =
  | { kind: 'text' | 'content' | 'style'; words: string }
  | { kind: 'term'; words: string; term: Word }
  | { kind: 'control'; words: string; move: Move };

const MARK = /\[\[([^\]|]+)\|?([^\]]*)\]\]|\[([^\]]+)\]\(([^)]+)\)|\{(content|style):([^}]+)\}/g;

/** The pieces of one paragraph, in order; joined, their words are the paragraph as it is read. */
export function pieces(paragraph: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of paragraph.matchAll(MARK)) {
    if (match.index > from) found.push({ kind: 'text', words: paragraph.slice(from, match.index) });
    found.push(pieceOf(match));
    from = match.index + match[0].length;
  }
  if (from < paragraph.length) found.push({ kind: 'text', words: paragraph.slice(from) });
  return found;
}

function pieceOf([, term, inflected, words, move, colour, coloured]: RegExpMatchArray): Piece {
  if (term) return { kind: 'term', words: inflected || term, term: term as Word };
  if (words && move) return { kind: 'control', words, move: Object.fromEntries(new URLSearchParams(move)) };
  return { kind: colour as 'content' | 'style', words: coloured ?? '' };
}

/** The paragraph as it is read aloud: without marks. */
export function plain(paragraph: string): string {
  return pieces(paragraph)
    .map((piece) => piece.words)
    .join('');
}
