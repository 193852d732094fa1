/** Where the reader is, kept in the address: #/xray?run=…&layer=relu3_1. A link shows the same to another tab. */

import type { Id } from './types';

export const SCREENS = ['start', 'paint', 'live', 'xray', 'lab', 'tour', 'studies', 'films'] as const;
export type Screen = (typeof SCREENS)[number];

export interface Route {
  screen: Screen;
  run: Id | null;
  layer: string | null;
  frame: number | null; // the index of the frame that is looked at; null: the newest
  channels: number[];
  step: number; // of the tour
  study: Id | null;
  film: Id | null;
  teacher: boolean; // hides the controls
}

const WRITE_AFTER = 150; // milliseconds; browsers refuse many changes of the address a second

export const route: Route = $state(parsed(location.hash));

let writing: ReturnType<typeof setTimeout> | undefined;

/** Change some of it. A new screen, run or film makes an entry in the browser's history, the rest does not. */
export function go(changes: Partial<Route>): void {
  const leaves = (['screen', 'run', 'film'] as const).some((part) => changes[part] !== undefined && changes[part] !== route[part]);
  if (leaves) write('replaceState');
  Object.assign(route, changes);
  clearTimeout(writing);
  if (leaves) write('pushState');
  else writing = setTimeout(() => write('replaceState'), WRITE_AFTER);
}

/** The address of a place, for a link. */
export function address(changes: Partial<Route>): string {
  return hash({ ...route, ...changes });
}

function write(how: 'pushState' | 'replaceState'): void {
  const wanted = hash(route);
  if (wanted !== location.hash) history[how](null, '', wanted);
}

function hash(place: Route): string {
  const query = new URLSearchParams();
  if (place.run) query.set('run', place.run);
  if (place.layer) query.set('layer', place.layer);
  if (place.frame !== null) query.set('frame', String(place.frame));
  if (place.channels.length) query.set('channels', place.channels.join('-'));
  if (place.step) query.set('step', String(place.step));
  if (place.study) query.set('study', place.study);
  if (place.film) query.set('film', place.film);
  if (place.teacher) query.set('teacher', '1');
  const said = query.toString();
  return `#/${place.screen}${said ? `?${said}` : ''}`;
}

function parsed(text: string): Route {
  const [path = '', said = ''] = text.replace(/^#\/?/, '').split('?');
  const query = new URLSearchParams(said);
  const screen = SCREENS.find((known) => known === path) ?? 'start';
  return {
    screen,
    run: query.get('run'),
    layer: query.get('layer'),
    frame: whole(query.get('frame')),
    channels: (query.get('channels') ?? '').split('-').map(whole).filter((channel) => channel !== null),
    step: whole(query.get('step')) ?? 0,
    study: query.get('study'),
    film: query.get('film'),
    teacher: query.get('teacher') === '1',
  };
}

function whole(text: string | null): number | null {
  return text && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

addEventListener('popstate', () => Object.assign(route, parsed(location.hash)));
