/** Every step of the tour as a still, one after another: they may have to be computed. */

import { inWords } from '../../lib/api';
import type { Run, State } from '../../lib/types';
import { CHAPTERS, type Name } from '../chapters';
import type { View } from '../view';
import * as looking from './looking';
import type { Told } from './page';
import * as painting from './painting';
import type { Still } from './still';

type Taker = (run: Run, view: View, state: State | null) => Promise<Still>;

const TAKERS: Record<Name, Taker> = { ...looking, ...painting };

/** Yields each step when its still is taken; one that cannot be taken says why in its place. */
export async function* tell(run: Run, views: Record<Name, View>, state: State | null): AsyncGenerator<Told> {
  for (const chapter of CHAPTERS) {
    const still = await TAKERS[chapter.name](run, views[chapter.name], state).catch(
      (caught): Still => ({ shots: [], says: [`This figure could not be made. ${inWords(caught)}`] }),
    );
    yield { chapter, still };
  }
}
