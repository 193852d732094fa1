/** Where the reader is in the tour, and what every step's figure was left at. The address has the step, and of its
 *  figure the layer, the frame and the pair; this browser remembers the step for the next visit. */

import { untrack } from 'svelte';

import { go, route, type Route } from '../lib/route.svelte';
import type { Run } from '../lib/types';
import { CHAPTERS, type Chapter, type Name } from './chapters';
import { frameAt } from './figures/figure';
import type { Move } from './markup';
import { FIRST_VIEW, moved, type View } from './view';

const KEY = 'gramarye-tour-step';

type InAddress = Pick<Route, 'layer' | 'frame' | 'channels'>;

export class Journey {
  run = $state.raw<Run | null>(null); // whose frames the figures show
  views = $state(Object.fromEntries(CHAPTERS.map((chapter) => [chapter.name, begun(chapter)])) as Record<Name, View>);
  resumed = $state(false); // the step is that of an earlier visit
  readonly at = $derived(Math.min(CHAPTERS.length, Math.max(1, route.step)) - 1);
  readonly chapter = $derived(CHAPTERS[this.at]!);
  readonly view = $derived(this.views[this.chapter.name]);

  /** Begin where the address says, else where the last visit ended. */
  enter(): void {
    if (route.step) return;
    const last = Math.floor(Number(localStorage.getItem(KEY)));
    this.resumed = last > 1 && last <= CHAPTERS.length;
    this.turn(this.resumed ? last : 1);
  }

  /** Go to a step, counted from 1. */
  turn(step: number): void {
    if (step < 1 || step > CHAPTERS.length) return;
    const next = CHAPTERS[step - 1]!;
    localStorage.setItem(KEY, String(step));
    go({ step, ...inAddress(next, this.views[next.name], this.run) });
  }

  change(changes: Partial<View>): void {
    Object.assign(this.view, changes);
    go(inAddress(this.chapter, this.view, this.run));
  }

  /** The place in the address of what a control would show. */
  address(move: Move): InAddress {
    return inAddress(this.chapter, { ...this.view, ...moved(this.view, move) }, this.run);
  }

  /** Take from the address what it says of the figure; read by an effect, so that back and forward work. */
  follow(): void {
    const { layer, frame, channels } = route;
    const opens = this.chapter.opens;
    const view = untrack(() => this.view);
    if (layer && 'layer' in opens && untrack(() => view.layer) !== layer) view.layer = layer;
    if (frame !== null && 'frame' in opens && untrack(() => inAddress(this.chapter, view, this.run).frame) !== frame) view.frame = frame;
    const [first, second] = channels;
    if (first === undefined || second === undefined || !('pair' in opens)) return;
    if (untrack(() => String(view.pair)) !== String(channels)) view.pair = [first, second];
  }

  /** Look at a painting; another one has other pairs and frames, so that every figure begins anew. */
  take(run: Run): void {
    if (this.run && this.run.id !== run.id) for (const chapter of CHAPTERS) this.views[chapter.name] = begun(chapter);
    this.run = run;
  }
}

const begun = (chapter: Chapter): View => ({ ...FIRST_VIEW, ...chapter.opens });

/** What the address has of a figure; nothing of what the figure does not have. The newest frame is not named. */
export function inAddress({ opens }: Chapter, view: View, run: Run | null): InAddress {
  const frame = run && 'frame' in opens && view.frame !== 'last' ? run.frames[frameAt(run, view.frame)] : undefined;
  return {
    layer: 'layer' in opens ? view.layer : null,
    frame: frame?.index ?? null,
    channels: 'pair' in opens && view.pair !== 'wanted' ? view.pair : [],
  };
}
