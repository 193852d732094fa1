/** What is chosen on the first screen; it is kept while one looks at the others. */

import { studio } from '../lib/state.svelte';
import type { Id, Picture, PresetInfo, RunSummary } from '../lib/types';

type Kind = Picture['kind'];

class Choice {
  #wanted = $state<Record<Kind, Id | null>>({ photograph: null, painting: null });
  #preset = $state<string | null>(null);

  readonly photograph = $derived(this.#found('photograph'));
  readonly painting = $derived(this.#found('painting'));
  readonly preset = $derived<PresetInfo | null>(this.#presetFound());
  /** The newest finished painting of just these two. */
  readonly painted = $derived<RunSummary | null>(this.#paintedFound());

  pick(kind: Kind, id: Id): void {
    this.#wanted[kind] = id;
  }

  pickPreset(name: string): void {
    this.#preset = name;
  }

  #found(kind: Kind): Picture | null {
    const all = [...studio.pictures.values()].filter((picture) => picture.kind === kind);
    return all.find(({ id }) => id === this.#wanted[kind]) ?? all[0] ?? null;
  }

  #presetFound(): PresetInfo | null {
    const all = studio.state?.presets ?? [];
    const named = (name: string | null): PresetInfo | undefined => all.find((preset) => preset.name === name);
    return named(this.#preset) ?? named('default') ?? all[0] ?? null;
  }

  #paintedFound(): RunSummary | null {
    const { photograph, painting } = this;
    const fits = (run: RunSummary): boolean =>
      run.state === 'finished' && run.frame !== null && run.content === photograph?.id && run.styles.length === 1 && run.styles[0] === painting?.id;
    return [...studio.runs.values()].filter(fits).sort((one, other) => other.started.localeCompare(one.started))[0] ?? null;
  }
}

export const choice = new Choice();
