/** Bringing pictures of one's own into the gallery, one after the other, each with its progress or what is wrong. */

import { inWords, upload } from '../lib/api';
import { studio } from '../lib/state.svelte';
import type { Picture } from '../lib/types';
import { choice } from './choice.svelte';

type Kind = Picture['kind'];

/** What is known of a file on its way. */
export interface Underway {
  name: string;
  share: number | null; // sent; null: nothing is under way
  wrong: string | null;
}

export class Bringing implements Underway {
  name = $state('');
  share = $state<number | null>(null);
  wrong = $state<string | null>(null);

  constructor(readonly kind: Kind) {}

  /** Take what was dropped, pasted or chosen; the last one is chosen for painting. */
  async take(files: readonly File[]): Promise<void> {
    this.wrong = files.length ? null : 'Only pictures can be brought here; this was something else. Choose a picture file.';
    for (const file of files) {
      await bring<Picture>(this, file, 'picture', `/api/pictures?kind=${this.kind}`, studio.state?.limits.bytes, (picture) => {
        studio.bring(picture);
        choice.pick(this.kind, picture.id);
      });
    }
  }
}

/** Send a file, unless it is larger than `most`; `keep` gets what the studio made of it. */
export async function bring<Kept extends { title: string }>(
  underway: Underway,
  file: File,
  what: string,
  path: string,
  most = Infinity,
  keep: (kept: Kept) => void,
): Promise<void> {
  if (file.size > most) {
    const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
    underway.wrong = `A ${what} may have at most ${mega(most)}; ${file.name} has ${mega(file.size)}. Make it smaller, and bring that.`;
    return;
  }
  [underway.name, underway.share] = [file.name, 0];
  try {
    const kept = await upload<Kept>(path, file, file.name, (share) => (underway.share = share));
    keep(kept);
    studio.announce(`${kept.title} is here and chosen.`);
  } catch (caught) {
    underway.wrong = inWords(caught);
  } finally {
    underway.share = null;
  }
}

/** The picture files in what was dropped or pasted. */
export function filesIn(data: DataTransfer | null): File[] {
  return [...(data?.files ?? [])].filter(({ type }) => type === '' || type.startsWith('image/'));
}
