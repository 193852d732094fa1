/** Pictures of our own server as pixels, for figures that count them in the browser. */

const pixels = new Map<string, Promise<ImageData>>();

/** The pixels of a picture, its long side at most `side`; asked once. */
export function pixelsOf(url: string, side: number): Promise<ImageData> {
  const key = `${side} ${url}`;
  const known = pixels.get(key) ?? read(url, side);
  pixels.set(key, known);
  known.catch(() => pixels.delete(key));
  return known;
}

async function read(url: string, side: number): Promise<ImageData> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`This picture could not be loaded (status ${answer.status}). Try again.`);
  const bitmap = await createImageBitmap(await answer.blob());
  const factor = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [Math.round(bitmap.width * factor), Math.round(bitmap.height * factor)];
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

/** A map of values from 0 as grey: black is 0, white is `full` and above, the root of the share between. */
export function greyMap(values: Float32Array, width: number, full: number): ImageData {
  const picture = new ImageData(width, values.length / width);
  values.forEach((value, at) => {
    const level = 255 * Math.sqrt(Math.min(1, value / (full || 1)));
    picture.data.set([level, level, level, 255], 4 * at);
  });
  return picture;
}
