/** Sentences about what is looked at, put together from its own numbers. */

import { short } from '../lib/numbers';
import type { Channels, LayerInfo } from '../lib/types';

/** How loud a channel is in painting and result, compared with the photograph. */
export function ofChannel(channels: Channels, channel: number, layer: LayerInfo): string {
  const at = channels.shown.indexOf(channel);
  const { photograph = 0, painting = 0, result = 0 } = Object.fromEntries(Object.entries(channels.pictures).map(([which, { energy }]) => [which, energy[at] ?? 0]));
  const rings = `Rings mark where it fires most; each such unit sees ${layer.field} × ${layer.field} pixels.`;
  if (photograph < 1e-9 * Math.max(painting, result, 1e-30)) return `Channel ${channel} is silent in the photograph. ${rings}`;
  return `Channel ${channel} fires ${times(painting / photograph)} in the painting as in the photograph, and ${times(result / photograph)} in the result. ${rings}`;
}

/** Energies are mean squares; their root is how strongly it fires. */
function times(ratio: number): string {
  const root = Math.sqrt(ratio);
  return root > 0.95 && root < 1.05 ? 'as strongly' : `${short(root, 2)} times as strongly`;
}
