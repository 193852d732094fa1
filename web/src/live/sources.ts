/** Where a film comes from: the camera, a file, or a photograph that is moved as if it were filmed. */

import { pictureUrl } from '../lib/api';
import type { Id } from '../lib/types';

export interface Source {
  kind: 'camera' | 'demonstration' | 'file';
  stream?: MediaStream;
  url?: string; // of a file
  close: () => void;
}

const [WIDTH, HEIGHT, RATE] = [640, 480, 24]; // of the demonstration
const CALM = 3; // seconds between its moves where less motion is asked for

const OTHERWISE = 'Or go on without a camera.';
const REFUSED: Record<string, string> = {
  NotAllowedError: `The camera is not allowed to this page. Allow it by the sign beside the browser’s address, then start again. ${OTHERWISE}`,
  NotFoundError: `No camera was found. Plug one in, then start again. ${OTHERWISE}`,
  NotReadableError: `The camera is there, but another program has it. Close that one, then start again. ${OTHERWISE}`,
};

/** The camera's film; the browser asks whether it may. Raises an Error that says what to do. */
export async function camera(): Promise<Source> {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: WIDTH } } });
    return { kind: 'camera', stream, close: () => stopped(stream) };
  } catch (caught) {
    throw new Error(REFUSED[(caught as Error).name] ?? `The camera cannot be used here. ${OTHERWISE}`);
  }
}

/** A film from a file, over and over; it is read in this page and sent nowhere but for its frames. */
export function file(chosen: File): Source {
  const url = URL.createObjectURL(chosen);
  return { kind: 'file', url, close: () => URL.revokeObjectURL(url) };
}

/** A photograph of the gallery, looked at here and there, near and far. */
export async function demonstration(photograph: Id): Promise<Source> {
  const picture = new Image();
  picture.src = pictureUrl(photograph, 1024);
  await picture.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT });
  const brush = canvas.getContext('2d')!;
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const widest = Math.min(picture.width / WIDTH, picture.height / HEIGHT);
  const began = performance.now();

  function draw(): void {
    const seconds = (performance.now() - began) / 1000;
    const time = calm ? CALM * Math.floor(seconds / CALM) : seconds;
    const scale = widest * (0.8 + 0.2 * Math.cos(time / 4));
    const [width, height] = [scale * WIDTH, scale * HEIGHT];
    const across = (picture.width - width) * (0.5 + 0.5 * Math.sin(time / 2.3));
    const down = (picture.height - height) * (0.3 + 0.3 * Math.sin(time / 3.7));
    brush.drawImage(picture, across, down, width, height, 0, 0, WIDTH, HEIGHT);
  }

  draw();
  const timer = setInterval(draw, 1000 / RATE);
  const stream = canvas.captureStream(RATE);
  return { kind: 'demonstration', stream, close: () => (clearInterval(timer), stopped(stream)) };
}

function stopped(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
