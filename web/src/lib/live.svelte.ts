/** A run that grows while it is looked at. */

import type { Frame, Run, RunState, RunSummary, StreamEvents } from './types';

const PACE = 200; // milliseconds at least between two looks at the columns: charts need not follow every step

/** A `Run` whose fields are signals. Long columns grow in place under a new outer object, so that a step costs the same
 *  however many came before it. */
export class LiveRun implements Run {
  readonly id: string;
  state = $state<RunState>('waiting');
  title = $state('');
  content = $state('');
  styles = $state.raw<string[]>([]);
  preset = $state('');
  started = $state('');
  index = $state(0);
  steps = $state(0);
  seconds = $state(0);
  remaining = $state<number | null>(null);
  frame = $state<number | null>(null);
  parent = $state.raw<Run['parent']>(null);
  demo = $state(false);
  error = $state<string | null>(null);
  width = $state(0);
  height = $state(0);
  settings = $state.raw<Run['settings']>({});
  terms = $state.raw<Run['terms']>([]);
  steps_made = $state.raw<Run['steps_made']>({ index: [], scale: [], total: [], weighted: [], gradients: [], ms: [] });
  frames = $state.raw<Frame[]>([]);
  changes = $state.raw<Run['changes']>([]);
  command = $state('');
  mask = $state(false);
  #newest: StreamEvents['step'] | null = null;
  #drawing = false;
  #due = 0; // when the columns are next to be told

  constructor(run: Run) {
    this.id = run.id;
    this.take(run);
  }

  /** All of it anew, as the server has it. */
  take(run: Run): void {
    const { id: _, ...rest } = run;
    Object.assign(this, rest);
  }

  summarise(summary: RunSummary): void {
    const { id: _, ...rest } = summary;
    Object.assign(this, rest);
  }

  step(step: StreamEvents['step']): void {
    const made = this.steps_made;
    this.#newest = step;
    if (step.index > (made.index.at(-1) ?? -1)) {
      made.index.push(step.index); // it may have come while the run was asked for
      made.scale.push(step.scale);
      made.total.push(step.total);
      made.weighted.push(step.weighted);
      made.gradients.push(step.gradients);
      made.ms.push(step.ms);
    }
    this.#tell();
  }

  /** Show the newest step, and the columns now and then; then rest. The longer drawing takes, the longer: many windows
   *  must not take the cores from the painting. When it ends or rests, all of it is asked for anew. */
  #tell(): void {
    if (this.#drawing || !this.#newest || this.#newest.index <= this.index) return;
    const { index, remaining } = this.#newest;
    const began = performance.now();
    const whole = began > this.#due;
    Object.assign(this, { index, remaining }, whole && { steps_made: { ...this.steps_made } });
    this.#drawing = true;
    const drawn = (): void => {
      const took = performance.now() - began;
      if (whole) this.#due = began + Math.max(PACE, 10 * took);
      setTimeout(() => {
        this.#drawing = false;
        this.#tell();
      }, 2 * took);
    };
    requestAnimationFrame(() => setTimeout(drawn));
  }

  frameMade({ index, width, height }: StreamEvents['frame']): void {
    const others = this.frames.filter((frame) => frame.index !== index);
    this.frames = [...others, { index, width, height }].sort((one, other) => one.index - other.index);
    this.frame = this.frames.at(-1)?.index ?? null;
  }
}
