/** The pointer over a picture, told to every panel through `cursor`; the server hears nothing of it. */

import { cursor } from './state.svelte';
import type { Which } from './types';

/** Where an event is in an element, 0 … 1 each way. */
export function within(event: PointerEvent | MouseEvent, element: Element): { x: number; y: number } {
  const box = element.getBoundingClientRect();
  const share = (at: number, from: number, size: number): number => Math.min(1, Math.max(0, (at - from) / (size || 1)));
  return { x: share(event.clientX, box.left, box.width), y: share(event.clientY, box.top, box.height) };
}

/** Point there in the picture `which`. */
export function point(event: PointerEvent, which: Which): void {
  if (event.currentTarget instanceof Element) Object.assign(cursor, { picture: which, ...within(event, event.currentTarget) });
}

/** Point nowhere. */
export function leave(): void {
  cursor.picture = null;
}
