/** Pictures as data, so that a page can carry them. */

import { lay } from '../../components/brush';

/** A picture of our own server as a data: address. */
export async function inlined(url: string): Promise<string> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`A picture could not be loaded (status ${answer.status}).`);
  return dataOf(await answer.blob());
}

function dataOf(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(new Error('A picture could not be read.'));
    reader.readAsDataURL(blob);
  });
}

/** Pixels as a data: address; PNG, since few of them are squares of a matrix and must stay sharp. */
export function pixelsInlined(pixels: ImageData, type: 'image/png' | 'image/webp' = 'image/png'): string {
  const canvas = document.createElement('canvas');
  lay(canvas, pixels);
  return canvas.toDataURL(type, 0.85);
}

/** The first `count` cells of a sprite side by side, `across` in a row. */
export function cellsInlined(
  sheet: ImageBitmap, [width, height]: readonly [number, number], columns: number, count: number, across: number,
): string {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [(width + 2) * across, (height + 2) * Math.ceil(count / across)];
  const context = canvas.getContext('2d');
  for (let at = 0; at < count; at++) {
    const from = [(at % columns) * width, Math.floor(at / columns) * height] as const;
    const to = [(at % across) * (width + 2), Math.floor(at / across) * (height + 2)] as const;
    context?.drawImage(sheet, from[0], from[1], width, height, to[0], to[1], width, height);
  }
  return canvas.toDataURL('image/png');
}
