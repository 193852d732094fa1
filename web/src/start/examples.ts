/** The bundled photograph in the manner of each bundled painting, painted by `gramarye demo`: what is seen before
 *  anything has been painted here. */

import type { Id } from '../lib/types';

const files = import.meta.glob<string>('../assets/demo/*.webp', { eager: true, query: '?url', import: 'default' });

const NAMED = new Map(Object.entries(files).map(([path, url]) => [path.replace(/^.*\/(.*)\.webp$/, 'demo-$1'), url]));

export const PHOTOGRAPH: Id = 'demo-photograph';

/** How a bundled painting paints the bundled photograph; any other painting gets the first example. */
export function example(painting: Id | undefined): { url: string; painting: Id } | null {
  const [first] = NAMED;
  const known = painting ? NAMED.get(painting) : undefined;
  if (known && painting) return { url: known, painting };
  return first ? { url: first[1], painting: first[0] } : null;
}
