/** Which picture of a way from noise a view means. */

import type { Rebuilding } from '../../lib/types';
import type { View } from '../view';

export function madeAt(found: Rebuilding, made: View['made']): number {
  const last = found.frames.length - 1;
  if (made === 'first') return 0;
  return made === 'last' ? last : Math.min(made, last);
}
