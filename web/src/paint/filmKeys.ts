/** The keys of whatever has frames. */

import { register } from '../lib/keys';

interface Film {
  togglePlay: () => void;
  walk: (by: number) => void; // so many frames forth, or back
}

export const filmKeys = (film: Film): (() => void) =>
  register(
    { key: ' ', says: 'Play the film, or pause it', run: () => film.togglePlay() },
    { key: ',', says: 'One frame back', run: () => film.walk(-1) },
    { key: '.', says: 'One frame forth', run: () => film.walk(1) },
    { key: 'Home', says: 'The first frame', run: () => film.walk(-Infinity) },
    { key: 'End', says: 'The last frame', run: () => film.walk(Infinity) },
  );
