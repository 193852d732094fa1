/** Who pulls one spot of the picture: the content against each style layer, read out of a frame's packed grid. */

import type { Pulls } from '../lib/types';

export interface Pull {
  layer: string; // "content", or a style layer
  size: number; // relative to the strongest pull anywhere in the frame, 0 … 1
  cosine: number; // −1 against the content … 1 with it
}

export interface Spot {
  row: number;
  column: number;
  pulls: Pull[]; // content first
}

/** A frame's pulls, unpacked once; reading a spot is then a look into two arrays. */
export class Field {
  readonly index: number;
  readonly grid: number;
  readonly layers: string[];
  private readonly magnitudes: Uint8Array;
  private readonly directions: Uint8Array;

  constructor(pulls: Pulls) {
    this.index = pulls.index;
    this.grid = pulls.grid;
    this.layers = pulls.layers;
    this.magnitudes = unpacked(pulls.magnitudes);
    this.directions = unpacked(pulls.directions);
  }

  /** The pulls on the cell that holds the spot (x, y), each 0 … 1 from the left and the top. */
  at(x: number, y: number): Spot {
    const [column, row] = [this.cell(x), this.cell(y)];
    const start = (row * this.grid + column) * this.layers.length;
    const pulls = this.layers.map((layer, place) => ({
      layer,
      size: this.magnitudes[start + place]! / 255,
      cosine: (this.directions[start + place]! - 127) / 127,
    }));
    return { row, column, pulls };
  }

  private cell(at: number): number {
    return Math.min(this.grid - 1, Math.max(0, Math.floor(at * this.grid)));
  }
}

function unpacked(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** All style layers together, as if none of them cancelled another: √Σ size². */
export function styleSize(spot: Spot): number {
  return Math.hypot(...spot.pulls.slice(1).map((pull) => pull.size));
}

export function sideOf(cosine: number): string {
  if (cosine > 0.25) return 'with the content';
  if (cosine < -0.25) return 'against the content';
  return 'across';
}

/** One or two plain sentences on a spot: who is stronger, who leads, and who works against the photograph. */
export function inWords(spot: Spot): string {
  const [content, ...styles] = spot.pulls;
  if (!content || !styles.length || spot.pulls.every((pull) => !pull.size)) return 'Nothing pulls here any more.';
  const strongest = styles.reduce((best, each) => (each.size > best.size ? each : best));
  const against = styles.filter((pull) => pull.size && pull.cosine < -0.25).map((pull) => pull.layer);
  const opposed = against.length ? `Against the content: ${against.join(', ')}.` : 'None pulls against the content.';
  return `${balance(content.size, styleSize(spot))}; ${strongest.layer} is the strongest layer. ${opposed}`;
}

function balance(content: number, style: number): string {
  if (!content) return 'Only the style pulls here';
  if (!style) return 'Only the content pulls here';
  const ratio = style / content;
  if (ratio > 1.15) return `Style pulls ${times(ratio)} times as hard as content`;
  if (ratio < 0.87) return `Content pulls ${times(1 / ratio)} times as hard as style`;
  return 'Content and style pull about equally hard';
}

function times(ratio: number): string {
  return ratio < 10 ? ratio.toFixed(1) : ratio.toFixed(0);
}
