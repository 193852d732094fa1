/** What of a painting is looked at: the frame under the scrubber, which picture, curves, bars and arrows all follow. */

import { route, go } from '../lib/route.svelte';
import type { Frame, Run, RunState } from '../lib/types';
import { nearestByIndex, nearestByPlace, place, type Spacing } from './timeline';

const BEAT = 140; // milliseconds a frame of the film stays

export type Look = 'result' | 'compare' | 'beside';

export const isLive = (state: RunState): boolean => ['waiting', 'running', 'paused'].includes(state);

export class View {
  spacing = $state<Spacing>('log');
  playing = $state(false);
  look = $state<Look>('result');
  divide = $state(50); // per cent of the photograph, before and after
  readonly position: number = $derived.by(() => this.#position()); // of the frame shown, -1 without frames
  readonly frame: Frame | null = $derived.by(() => this.run.frames[this.position] ?? null);
  readonly last: number = $derived.by(() => this.#last());
  /** The evaluation that the curves and bars are read at. */
  readonly index: number = $derived.by(() => (route.frame === null ? this.run.index : (this.frame?.index ?? 0)));

  constructor(readonly run: Run) {}

  /** Whether the newest frame is shown, whatever comes. */
  get following(): boolean {
    return route.frame === null;
  }

  show(position: number): void {
    const { frames, state } = this.run;
    const bounded = Math.min(frames.length - 1, Math.max(0, position));
    const frame = frames[bounded];
    if (frame) go({ frame: bounded === frames.length - 1 && isLive(state) ? null : frame.index });
  }

  /** One or more frames back (negative) or forth; the film stops. */
  walk(by: number): void {
    this.playing = false;
    this.show(this.position + by);
  }

  showPlace(at: number): void {
    this.playing = false;
    this.show(nearestByPlace(this.run.frames, at, this.last, this.spacing));
  }

  showIndex(index: number): void {
    this.playing = false;
    this.show(nearestByIndex(this.run.frames, index));
  }

  placeOf(index: number): number {
    return place(index, this.last, this.spacing);
  }

  /** Play the film from here, or from the beginning if this is the end; or stop it. */
  togglePlay(): void {
    if (!this.playing && this.position >= this.run.frames.length - 1) this.#jump(0);
    this.playing = !this.playing && this.run.frames.length > 1;
  }

  /** Let the film run while `playing`: for an effect; returns what stops it. */
  film(): (() => void) | undefined {
    if (!this.playing) return undefined;
    const timer = setInterval(() => this.#next(), BEAT);
    return () => clearInterval(timer);
  }

  /** Look at it another way; `b` turns between the result and the photograph over it. */
  turn(look: Look): void {
    this.look = look;
    this.divide = 50;
  }

  #next(): void {
    if (this.position >= this.run.frames.length - 1) this.playing = false;
    else this.show(this.position + 1);
  }

  #jump(position: number): void {
    const frame = this.run.frames[position];
    if (frame) go({ frame: frame.index });
  }

  #position(): number {
    const { frames } = this.run;
    return route.frame === null ? frames.length - 1 : nearestByIndex(frames, route.frame);
  }

  #last(): number {
    const newest = Math.max(this.run.index, this.run.frames.at(-1)?.index ?? 0);
    return isLive(this.run.state) ? Math.max(this.run.steps, newest) : newest;
  }
}
