/** Total variation in the browser: Σ dx² + dy² over neighbouring pixels, by place and as a mean, and what changes it. */

const COLOURS = 3;
const STRONGEST_GRAIN = 0.2; // standard deviation, of white
const WIDEST_BLUR = 4; // pixels to each side

/** The squared differences to the right and downwards, summed over the colours, for each pixel; white is 1. */
export function roughness({ data, width, height }: ImageData): Float32Array {
  const found = new Float32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let colour = 0; colour < COLOURS; colour++) {
        const here = 4 * (y * width + x) + colour;
        const right = x + 1 < width ? data[here + 4]! - data[here]! : 0;
        const down = y + 1 < height ? data[here + 4 * width]! - data[here]! : 0;
        found[y * width + x]! += (right ** 2 + down ** 2) / 255 ** 2;
      }
  return found;
}

/** The mean over the pixels: what `smoothness.weight` multiplies. */
export function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}

/** The picture with grain (amount > 0, up to 1) or blurred (amount < 0, down to −1); 0 leaves it as it is. */
export function disturbed(picture: ImageData, amount: number): ImageData {
  if (amount > 0) return grained(picture, amount * STRONGEST_GRAIN);
  return amount < 0 ? blurred(picture, Math.max(1, Math.round(-amount * WIDEST_BLUR))) : picture;
}

function grained(picture: ImageData, deviation: number): ImageData {
  const random = seeded(1);
  const data = picture.data.map((value, index) =>
    index % 4 === COLOURS ? value : value + 255 * deviation * normal(random),
  );
  return new ImageData(data, picture.width, picture.height);
}

/** A box of 2·radius + 1 pixels, along rows and then columns. */
function blurred(picture: ImageData, radius: number): ImageData {
  const { width, height } = picture;
  const rows = averaged(picture.data, height, width, 4 * width, 4, radius);
  return new ImageData(averaged(rows, width, height, 4, 4 * width, radius), width, height);
}

function averaged(
  data: Uint8ClampedArray, lines: number, length: number, lineStride: number, stride: number, radius: number,
): Uint8ClampedArray<ArrayBuffer> {
  const found = new Uint8ClampedArray(data);
  for (let line = 0; line < lines; line++)
    for (let colour = 0; colour < COLOURS; colour++) {
      const start = line * lineStride + colour;
      const at = (place: number): number => data[start + stride * Math.min(Math.max(place, 0), length - 1)]!;
      let sum = 0;
      for (let place = -radius; place <= radius; place++) sum += at(place);
      for (let place = 0; place < length; place++) {
        found[start + stride * place] = sum / (2 * radius + 1);
        sum += at(place + radius + 1) - at(place - radius);
      }
    }
  return found;
}

/** Numbers in 0…1 that are the same each time, so that moving the slider does not make the picture boil. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' congruential generator
    return (state + 0.5) / 2 ** 32;
  };
}

/** Box and Muller 1958. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}
