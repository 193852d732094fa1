/** Bringing pictures of one's own into the gallery, one after the other, each with its progress or what is wrong. */

import { inWords, upload } from '../lib/api';
import { studio } from '../lib/state.svelte';
import type { Picture } from '../lib/types';
import { choice } from './choice.svelte';

type Kind = Picture['kind'];

export class Bringing {
  name = $state(''); // of what is under way
  share = $state<number | null>(null); // sent; null: nothing is under way
  wrong = $state<string | null>(null);

  constructor(readonly kind: Kind) {}

  /** Take what was dropped, pasted or chosen; the last one is chosen for painting. */
  async take(files: readonly File[]): Promise<void> {
    this.wrong = files.length ? null : 'Only pictures can be brought here; this was something else. Choose a picture file.';
    for (const file of files) await this.#send(file);
  }

  async #send(file: File): Promise<void> {
    const limit = studio.state?.limits.bytes ?? Infinity;
    if (file.size > limit) {
      const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
      this.wrong = `A picture may have at most ${mega(limit)}; ${file.name} has ${mega(file.size)}. Save it smaller, or as JPEG.`;
      return;
    }
    [this.name, this.share] = [file.name, 0];
    try {
      const picture = await upload(this.kind, file, file.name, (share) => (this.share = share));
      studio.bring(picture);
      choice.pick(this.kind, picture.id);
      studio.announce(`${picture.title} is here and chosen.`);
    } catch (caught) {
      this.wrong = inWords(caught);
    } finally {
      this.share = null;
    }
  }
}

/** The picture files in what was dropped or pasted. */
export function filesIn(data: DataTransfer | null): File[] {
  return [...(data?.files ?? [])].filter(({ type }) => type === '' || type.startsWith('image/'));
}
