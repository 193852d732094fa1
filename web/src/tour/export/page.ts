/** The whole tour as one HTML file: no script, nothing from outside, every picture inside. */

import { GLOSSARY, type Word } from '../../lib/words';
import type { Chapter } from '../chapters';
import type { Facts } from '../facts';
import { pieces, type Piece } from '../markup';
import { saidOf, type Prose, type Said } from '../prose';
import { chartOf } from './chart';
import css from './page.css?raw';
import type { Shot, Still } from './still';

export interface Told {
  chapter: Chapter;
  still: Still;
}

export interface About {
  title: string;
  by: string; // what made it
  command: string;
}

const SAFE: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text as HTML: whatever a picture is called, it stays text. */
const escaped = (text: string): string => text.replace(/[&<>"']/g, (letter) => SAFE[letter] ?? '');

export function pageOf(told: readonly Told[], prose: Prose, facts: Facts, about: About): string {
  const terms = new Set<Word>();
  const steps = told.map(({ chapter, still }, at) => stepOf(chapter, saidOf(prose[chapter.name], facts), still, at + 1, terms)).join('\n');
  const words = [...terms].sort().map((word) => `<dt id="${slug(word)}">${escaped(word)}</dt><dd>${escaped(GLOSSARY[word])}</dd>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escaped(about.title)}</title>
<style>
${css}</style>
</head>
<body>
<header>
<h1>${escaped(about.title)}</h1>
<p>A tour through the painting of one picture: what the network saw in it, and why each stroke is where it is. In the studio its words move the figures; here they stand as they were left.</p>
<ol>${told.map(({ chapter }) => `<li><a href="#${chapter.name}">${escaped(chapter.title)}</a></li>`).join('')}</ol>
</header>
<main>
${steps}
</main>
<footer>
<h2>Words</h2>
<dl>${words.join('')}</dl>
<p>${escaped(about.by)}</p>
<p><code>${escaped(about.command)}</code></p>
</footer>
</body>
</html>
`;
}

function stepOf(chapter: Chapter, said: Said, still: Still, number: number, terms: Set<Word>): string {
  const says = said.says.map((paragraph) => `<p>${pieces(paragraph).map((piece) => wordsOf(piece, terms)).join('')}</p>`);
  const asks = said.asks
    ? `<details><summary>${escaped(said.asks.question)}</summary><p>${escaped(said.asks.answer)}</p></details>`
    : '';
  return `<section id="${chapter.name}">
<p class="question">${number} · ${escaped(chapter.question)}</p>
<h2>${escaped(chapter.title)}</h2>
${says.join('\n')}
<div class="shots">${still.shots.map(shotOf).join('')}</div>
${still.chart ? chartOf(still.chart) : ''}${tableOf(still.table)}
${still.says.map((text) => `<p class="found">${escaped(text)}</p>`).join('')}
${asks}
</section>`;
}

function wordsOf(piece: Piece, terms: Set<Word>): string {
  const words = escaped(piece.words);
  if (piece.kind === 'term') {
    terms.add(piece.term);
    return `<a href="#${slug(piece.term)}">${words}</a>`;
  }
  return piece.kind === 'content' || piece.kind === 'style' ? `<strong class="${piece.kind}">${words}</strong>` : words;
}

function shotOf({ src, alt, caption, sharp, over }: Shot): string {
  const picture = `<img src="${escaped(src)}" alt="${escaped(alt)}"${sharp ? ' class="sharp"' : ''}>`;
  return `<figure><div>${picture}${over ?? ''}</div><figcaption>${escaped(caption)}</figcaption></figure>`;
}

function tableOf(table: Still['table']): string {
  if (!table?.rows.length) return '';
  const head = table.head.map((text) => `<th scope="col">${escaped(text)}</th>`).join('');
  const rows = table.rows.map(([first = '', ...rest]) => `<tr><th scope="row">${escaped(first)}</th>${rest.map((text) => `<td>${escaped(text)}</td>`).join('')}</tr>`);
  return `<div class="table"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

const slug = (word: string): string => `word-${word.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
