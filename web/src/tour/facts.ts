/** What the text says of the run at hand: its network, its layers, its optimiser, in words; prose.json has these names. */

import type { Picture, Run, State } from '../lib/types';

export interface Facts {
  network: string;
  lite: boolean;
  contentLayers: string;
  deepest: string;
  optimiser: string;
  lbfgs: boolean; // that is the optimiser
  enlarged: boolean; // painted small first, then finer
  smoothed: boolean; // by one of these two weights
  smoothness: number;
  chroma: number;
  photograph: string;
  painting: string;
  field: (layer: string) => number; // pixels square that a unit sees
  stride: (layer: string) => number;
}

const OPTIMISERS: Record<string, string> = { lbfgs: 'L-BFGS', adam: 'Adam', adagrad: 'Adagrad', sgd: 'plain gradient descent' };
// VGG-19's own, for the text before a run is chosen.
const FIELDS: Record<string, [number, number]> = { relu1_1: [3, 1], relu3_1: [24, 4], relu5_1: [156, 16] };

/** The facts of a run, or those of the default settings while there is none. */
export function factsOf(state: State | null, run: Run | null, pictures: ReadonlyMap<string, Picture>): Facts {
  const content = listed(run?.settings['content.layers'], ['relu3_2', 'relu4_2']);
  const style = listed(run?.settings['style.layers'], ['relu1_1', 'relu2_1', 'relu3_1', 'relu4_1', 'relu5_1']);
  const known = new Map(state?.layers.map((layer) => [layer.name, layer]));
  const name = state?.network.name ?? 'vgg19-lite';
  const optimiser = String(run?.settings['optimizer.name'] ?? 'lbfgs');
  const smoothness = Number(run?.settings['smoothness.weight'] ?? 0);
  const chroma = Number(run?.settings['smoothness.chroma'] ?? 0);
  return {
    network: name === 'vgg19' ? 'VGG-19' : name,
    lite: name.endsWith('lite'),
    contentLayers: inWords(content),
    deepest: style.at(-1) ?? 'relu5_1',
    optimiser: OPTIMISERS[optimiser] ?? optimiser,
    lbfgs: optimiser === 'lbfgs',
    enlarged: new Set(run?.steps_made.scale).size > 1,
    smoothed: smoothness !== 0 || chroma !== 0,
    smoothness,
    chroma,
    photograph: pictures.get(run?.content ?? '')?.title ?? 'the photograph',
    painting: pictures.get(run?.styles[0] ?? '')?.title ?? 'the painting',
    field: (layer) => known.get(layer)?.field ?? FIELDS[layer]?.[0] ?? 0,
    stride: (layer) => known.get(layer)?.stride ?? FIELDS[layer]?.[1] ?? 0,
  };
}

function listed(value: unknown, otherwise: string[]): string[] {
  return Array.isArray(value) && value.length ? value.map(String) : otherwise;
}

/** “one”, “one and other”, “one, other and third”. */
function inWords(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
