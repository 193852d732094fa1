/** Sprites: many small grey maps in one picture, fetched and decoded once and then drawn from locally. */

const KEPT = 24;
const sheets = new Map<string, Promise<ImageBitmap>>();

/** The decoded sprite of an address. */
export function sheet(url: string): Promise<ImageBitmap> {
  const found = sheets.get(url) ?? load(url);
  sheets.delete(url);
  sheets.set(url, found); // the newest last
  for (const oldest of [...sheets.keys()].slice(0, -KEPT)) sheets.delete(oldest);
  return found;
}

async function load(url: string): Promise<ImageBitmap> {
  try {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`The maps of this layer could not be loaded (status ${answer.status}). Try again.`);
    return await createImageBitmap(await answer.blob());
  } catch (caught) {
    sheets.delete(url); // the next one asks again
    throw caught;
  }
}
