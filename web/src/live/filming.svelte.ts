/** A film that is painted as it comes: one frame at a time is on its way, and then the newest, so that nothing queues. */

import { answered, ApiError, inWords } from '../lib/api';
import { studio } from '../lib/state.svelte';
import { choice } from '../start/choice.svelte';
import type { Source } from './sources';
import { Pace, type Speed } from './speed';

const QUALITY = 0.9; // of the JPEGs that are sent
const LATE = 500; // milliseconds without a new frame: then the last one is painted again
const AGAIN = 400; // milliseconds until a studio that was busy is asked again
const BUSY = 'Other windows are painting films too. This one waits its turn.';
const UNSEEN = 'Stopped, because nobody saw this page. Start again when you like.';
const LOST = 'The film has ended: the camera was unplugged, or another program took it. Start again when it is back.';
const UNREADABLE = 'The browser cannot play that file. Choose a film as MP4 or WebM.';

/** What was painted last: the frame as it was sent, and where to. */
interface Shown {
  frame: Blob;
  painting: string;
  strength: number;
}

export class Filming {
  state = $state<'off' | 'opening' | 'on' | 'held'>('off');
  kind = $state.raw<Source['kind'] | null>(null);
  wrong = $state<string | null>(null);
  note = $state<string | null>(null);
  frames = $state(0); // painted since the start
  speed = $state.raw<Speed | null>(null);
  ratio = $state(4 / 3);
  side = $state(256); // px, the long side of a frame
  strength = $state(1);
  mirrored = $state(true);
  steady = $state(true);
  video = $state<HTMLVideoElement>(); // as it is filmed
  canvas = $state<HTMLCanvasElement>(); // as it is painted
  readonly #whole = document.createElement('canvas'); // the frame in hand, in its own size
  readonly #small = document.createElement('canvas');
  #source: Source | null = null;
  #stopped = new AbortController();
  #shown: Shown | null = null;

  /** Begin with what `open` comes to; whatever was there before is stopped. */
  async start(open: () => Source | Promise<Source>): Promise<void> {
    this.stop();
    this.wrong = this.note = null;
    this.state = 'opening';
    const { signal } = (this.#stopped = new AbortController());
    try {
      const source = await open();
      if (signal.aborted) return source.close();
      this.#source = source;
      await this.#play(source);
    } catch (caught) {
      if (!signal.aborted) this.#fail(inWords(caught));
      return;
    }
    if (signal.aborted) return;
    this.kind = this.#source.kind;
    this.mirrored = this.steady = this.kind === 'camera'; // which stands still, and in which one looks for oneself
    this.frames = 0;
    this.state = 'on';
    studio.announce('The film is being painted.');
    await this.#run(signal);
  }

  /** End it; the last painted picture stays. */
  stop(note: string | null = null): void {
    if (this.state === 'off') return;
    this.#stopped.abort();
    this.#source?.close();
    this.#source = null;
    if (this.video) this.video.srcObject = null;
    this.video?.removeAttribute('src');
    this.video?.load(); // lets go of a file
    this.state = 'off';
    this.speed = null;
    this.note = note;
    if (!note) studio.announce('The film is stopped.'); // a note is read aloud by itself
  }

  /** Let the picture stand, or let it run again. */
  hold(): void {
    if (this.state === 'on') this.state = 'held';
    else if (this.state === 'held') {
      this.state = 'on';
      void this.#run(this.#stopped.signal);
    } else return;
    studio.announce(this.state === 'on' ? 'The film goes on.' : 'The picture stands still.');
  }

  /** Nobody sees the page any more. */
  unseen(): void {
    if (this.state !== 'off') this.stop(UNSEEN);
  }

  /** What is shown as a PNG with its recipe inside, painted alone. */
  async still(): Promise<Blob> {
    const { frame, painting, strength } = this.#shown!;
    return (await send(frame, `/api/live/${painting}?strength=${strength}&still=1`)).blob();
  }

  /** The frame that stands still as the camera saw it. */
  photograph(): Promise<File> {
    return jpeg(this.#whole, 0.95).then((blob) => new File([blob], 'Live.jpg', { type: 'image/jpeg' }));
  }

  async #play(source: Source): Promise<void> {
    const video = this.video!;
    for (const track of source.stream?.getVideoTracks() ?? []) track.onended = () => this.stop(LOST);
    video.loop = true;
    if (source.stream) video.srcObject = source.stream;
    else video.src = source.url ?? '';
    await video.play().catch((caught: unknown) => {
      throw source.kind === 'file' ? new Error(UNREADABLE) : caught;
    });
  }

  #fail(wrong: string): void {
    this.stop();
    this.wrong = wrong;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const film = crypto.randomUUID();
    const pace = new Pace();
    let next = fresh(this.video!);
    while (this.state === 'on' && !signal.aborted) {
      try {
        await next;
        const began = performance.now();
        const shown = { frame: await this.#taken(), painting: choice.painting?.id ?? '', strength: this.strength };
        next = fresh(this.video!); // comes while this one is painted
        const steady = this.steady ? `&film=${film}` : '';
        const answer = await send(shown.frame, `/api/live/${shown.painting}?strength=${shown.strength}${steady}`, signal);
        const picture = await createImageBitmap(await answer.blob());
        if (signal.aborted) return;
        this.#show(picture, shown);
        this.speed = pace.told(began, answer.headers.get('Server-Timing') ?? '') ?? this.speed;
      } catch (caught) {
        if (signal.aborted) return;
        if (!(caught instanceof ApiError && caught.status === 503)) return this.#fail(inWords(caught));
        this.note = BUSY;
        await new Promise((over) => setTimeout(over, AGAIN));
      }
    }
  }

  /** The newest frame as a small JPEG. */
  #taken(): Promise<Blob> {
    const video = this.video!;
    const [width, height] = [video.videoWidth, video.videoHeight];
    draw(this.#whole, video, width, height, this.mirrored);
    const scale = Math.min(1, this.side / Math.max(width, height));
    draw(this.#small, this.#whole, Math.round(scale * width), Math.round(scale * height));
    return jpeg(this.#small, QUALITY);
  }

  #show(picture: ImageBitmap, shown: Shown): void {
    draw(this.canvas!, picture, picture.width, picture.height);
    this.ratio = picture.width / picture.height;
    picture.close();
    this.#shown = shown;
    this.frames += 1;
    if (this.note === BUSY) this.note = null;
  }
}

/** Wait for a frame that was not there before. */
function fresh(video: HTMLVideoElement): Promise<void> {
  return new Promise((come) => {
    setTimeout(come, LATE);
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(() => come());
    else requestAnimationFrame(() => come());
  });
}

const send = (frame: Blob, path: string, signal?: AbortSignal): Promise<Response> =>
  answered(path, { method: 'POST', headers: { 'Content-Type': 'image/jpeg' }, body: frame, ...(signal && { signal }) });

/** A picture on a canvas, which is cleared only if its size changes, and is never seen between the two. */
function draw(canvas: HTMLCanvasElement, picture: CanvasImageSource, width: number, height: number, mirrored = false): void {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const brush = canvas.getContext('2d')!;
  brush.imageSmoothingQuality = 'high';
  brush.setTransform(mirrored ? -1 : 1, 0, 0, 1, mirrored ? width : 0, 0);
  brush.drawImage(picture, 0, 0, width, height);
}

function jpeg(canvas: HTMLCanvasElement, quality: number): Promise<Blob> {
  return new Promise((made, failed) =>
    canvas.toBlob((blob) => (blob ? made(blob) : failed(new Error('The browser could not take the picture. Start again.'))), 'image/jpeg', quality),
  );
}
