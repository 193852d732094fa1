/** The event stream of this browser. One window that is looked at holds it and passes everything on to the others: a
 *  browser allows six connections a host, and every window would take one. */

import type { StreamEvents } from './types';

type Kind = keyof StreamEvents;
type Handler = (data: never) => void;
type Told = { kind: Kind; data: never };

const KINDS: Kind[] = ['hello', 'ready', 'run', 'gone', 'step', 'frame', 'terms', 'job', 'picture', 'study', 'film', 'moment'];
const FIRST_WAIT = 500; // milliseconds before asking again
const LONGEST_WAIT = 8000;
const LOCK = 'gramarye stream';

const handlers = new Map<Kind, Set<Handler>>();
const others = new BroadcastChannel(LOCK);
let waiting: AbortController | null = null;
let source: EventSource | null = null;
let again: ReturnType<typeof setTimeout> | undefined;
let wait = FIRST_WAIT;

/** Hear every event of one kind; returns the function that stops it. */
export function on<K extends Kind>(kind: K, handler: (data: StreamEvents[K]) => void): () => void {
  const heard = handlers.get(kind) ?? new Set<Handler>();
  handlers.set(kind, heard.add(handler as Handler));
  return () => heard.delete(handler as Handler);
}

/** Hear the stream while this tab is looked at; `back` hears that it is, again, and `lost` that the stream broke. */
export function follow(back: () => void, lost: () => void): void {
  others.onmessage = ({ data }: MessageEvent<Told>) => tell(data);
  document.addEventListener('visibilitychange', () => {
    letGo();
    if (!document.hidden) {
      void take(lost);
      back();
    }
  });
  if (!document.hidden) void take(lost);
}

/** Wait until no other window holds the stream, then hold it until `letGo`. */
async function take(lost: () => void): Promise<void> {
  const { signal } = (waiting = new AbortController());
  const held = (): Promise<void> =>
    new Promise((done) => {
      signal.addEventListener('abort', () => done());
      open(lost);
    });
  await navigator.locks.request(LOCK, { signal }, held).catch(() => undefined); // let go while it still waited
}

function letGo(): void {
  waiting?.abort();
  close();
}

function open(lost: () => void): void {
  close();
  source = new EventSource('/api/events');
  for (const kind of KINDS) source.addEventListener(kind, (event) => pass(kind, event as MessageEvent<string>));
  source.addEventListener('hello', () => (wait = FIRST_WAIT));
  source.onerror = () => {
    close();
    lost();
    again = setTimeout(() => open(lost), wait);
    wait = Math.min(2 * wait, LONGEST_WAIT);
  };
}

function pass(kind: Kind, event: MessageEvent<string>): void {
  const told: Told = { kind, data: JSON.parse(event.data) as never };
  others.postMessage(told);
  tell(told);
}

function tell({ kind, data }: Told): void {
  for (const handler of handlers.get(kind) ?? []) handler(data);
}

function close(): void {
  clearTimeout(again);
  source?.close();
  source = null;
}
