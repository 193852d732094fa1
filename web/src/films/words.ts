/** Films in plain words. */

import { duration } from '../lib/numbers';
import type { Film } from '../lib/types';
import { STATES } from '../paint/words';

export const stateInWords = ({ state, index, count }: Film): string => (state === 'running' && index === count ? 'Writing the film' : STATES[state]);

export const howFar = ({ index, count, remaining }: Film): string => `${index} of ${count} frames${remaining ? ` · about ${duration(remaining)} left` : ''}`;
