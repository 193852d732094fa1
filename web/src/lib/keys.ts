/** The keyboard: screens say which keys they know while they are mounted, and `?` lists them. */

import { SvelteSet } from 'svelte/reactivity';

export interface Key {
  key: string; // as KeyboardEvent.key gives it: ' ', 'ArrowLeft', '['
  says: string; // what it does, in plain words
  run: () => void;
}

/** What is registered now, for the list that `?` opens. */
export const known = new SvelteSet<Key>();

/** Know a key until the returned function is called: `$effect(() => register(…))` in a component. */
export function register(...keys: Key[]): () => void {
  for (const key of keys) known.add(key);
  return () => keys.forEach((key) => known.delete(key));
}

const NAMES: Record<string, string> = { ' ': 'Space', ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc' };

export const keyName = (key: string): string => NAMES[key] ?? key;

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || taken(event)) return;
  const found = [...known].reverse().find((key) => key.key === event.key); // the newest knows best
  if (!found) return;
  event.preventDefault();
  found.run();
});

/** Whether the focused thing needs the key itself: letters in fields, arrows in sliders, space on buttons. */
function taken(event: KeyboardEvent): boolean {
  const at = event.target;
  if (!(at instanceof HTMLElement)) return false;
  if (at.isContentEditable || at.matches('textarea, select')) return true;
  const moves = /^(Arrow|Page|Home|End)/.test(event.key);
  if (at instanceof HTMLInputElement) {
    if (at.type === 'range') return moves;
    return !['radio', 'checkbox'].includes(at.type) || moves || event.key === ' ';
  }
  if (at.closest('dialog')) return true;
  return at.matches('button, a, summary') && [' ', 'Enter'].includes(event.key);
}
