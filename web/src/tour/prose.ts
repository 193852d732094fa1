/**
 * What the tour says, which comes when the tour is opened. Beside the marks of markup.ts it holds what depends on the run:
 *   <<deepest>> or <<field relu1_1>>       one of its facts, as facts.ts names them; of a layer where one is named
 *   <<if lite>>words<<else>>others<<end>>  the words if the fact is so, else the others; <<else>>others may be left out
 */

import { get } from '../lib/api';
import type { Name } from './chapters';
import type { Facts } from './facts';
import type written from './prose.json';
import address from './prose.json?url';

/** What one step says. */
export interface Said {
  says: string[]; // paragraphs, marked up as markup.ts has it
  asks?: { question: string; answer: string };
}

export type Prose = Record<Name, Said>;

const CHOICE = /<<if (\w+)>>(.*?)(?:<<else>>(.*?))?<<end>>/g;
const FACT = /<<(\w+)(?: (\w+))?>>/g;

export const readProse = (): Promise<Prose> => get<typeof written>(address);

/** What a step says of the run at hand. */
export function saidOf({ says, asks }: Said, facts: Facts): Said {
  return {
    says: says.map((paragraph) => filled(paragraph, facts)),
    asks: asks && { question: asks.question, answer: filled(asks.answer, facts) },
  };
}

function filled(text: string, facts: Facts): string {
  return text
    .replace(CHOICE, (_, name: keyof Facts, words: string, others = '') => (facts[name] ? words : others))
    .replace(FACT, (_, name: keyof Facts, layer = '') => {
      const fact = facts[name];
      return String(typeof fact === 'function' ? fact(layer) : fact);
    });
}
