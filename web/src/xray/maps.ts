/** The maps of a layer's channels, read once from the sprites and then looked up here: pointing asks no server. */

import { sheet } from '../lib/sprites';
import type { Channels, Which } from '../lib/types';

export const PICTURES = ['photograph', 'painting', 'result'] as const satisfies Which[];

type Colour = readonly [number, number, number];

/** A grey picture, row by row, 0 … 255. */
export interface Grey {
  width: number;
  height: number;
  values: ArrayLike<number>;
}

export interface LayerMaps {
  channels: Channels;
  maps: Record<Which, Grey[]>; // in the order of channels.shown
}

/** The maps on all three pictures. */
export async function mapsOf(channels: Channels): Promise<LayerMaps> {
  const read = async (which: Which): Promise<Grey[]> => {
    const { url, cell } = channels.pictures[which];
    const whole = greyOf(await sheet(url));
    return channels.shown.map((_, at) => cut(whole, cell, at % channels.columns, Math.floor(at / channels.columns)));
  };
  const [photograph, painting, result] = await Promise.all([read('photograph'), read('painting'), read('result')]);
  return { channels, maps: { photograph, painting, result } };
}

/** A decoded picture as numbers. */
export function greyOf(bitmap: ImageBitmap): Grey {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, width, height).data;
  return { width, height, values: Uint8ClampedArray.from({ length: width * height }, (_, at) => pixels[4 * at]!) };
}

function cut(whole: Grey, [width, height]: [number, number], column: number, row: number): Grey {
  const values = new Uint8ClampedArray(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) values[y * width + x] = whole.values[(row * height + y) * whole.width + column * width + x] ?? 0;
  return { width, height, values };
}

/** How bright a map is at a place (0 … 1 each way), as a share of white. */
export function valueAt({ width, height, values }: Grey, x: number, y: number): number {
  const [column, row] = [Math.min(Math.floor(x * width), width - 1), Math.min(Math.floor(y * height), height - 1)];
  return (values[row * width + column] ?? 0) / 255;
}

/** Where two maps of one picture are both bright; of several pictures on one scale. */
export function products(first: Record<Which, Grey>, second: Record<Which, Grey>): Record<Which, Grey> {
  const raw = (which: Which): Float32Array => Float32Array.from(first[which].values).map((value, at) => value * (second[which].values[at] ?? 0));
  const all = { photograph: raw('photograph'), painting: raw('painting'), result: raw('result') };
  const most = PICTURES.reduce((largest, which) => all[which].reduce((one, other) => Math.max(one, other), largest), 1);
  const scaled = (which: Which): Grey => ({ ...first[which], values: all[which].map((value) => (255 * value) / most) });
  return { photograph: scaled('photograph'), painting: scaled('painting'), result: scaled('result') };
}

/** A map as a veil of one colour: the brighter, the denser. */
export const veil = (map: Grey, colour: Colour): ImageData => drawn(map, colour, (value) => value);

/** A map as darkness with holes: what is under it is seen where the map is bright. */
export const spotlight = (map: Grey): ImageData => drawn(map, [16, 14, 12], (value) => 232 - 0.91 * value);

function drawn({ width, height, values }: Grey, [red, green, blue]: Colour, alpha: (value: number) => number): ImageData {
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer); // a number each, red in its lowest byte
  const colour = red | (green << 8) | (blue << 16);
  for (let at = 0; at < pixels.length; at++) pixels[at] = colour | (Math.round(alpha(values[at] ?? 0)) << 24);
  return image;
}
