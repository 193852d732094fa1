/** Receptive fields: which pixels of a picture one unit of a layer sees. Places are shares of the picture, 0 … 1. */

import type { LayerInfo } from '../lib/types';

export interface Size {
  width: number; // pixels, as the network saw the picture
  height: number;
}

export interface Unit {
  column: number;
  row: number;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** How many units a layer has across and down such a picture. */
export function grid(layer: LayerInfo, size: Size): { columns: number; rows: number } {
  const along = (pixels: number): number => Math.max(1, Math.floor(pixels / layer.stride));
  return { columns: along(size.width), rows: along(size.height) };
}

/** The unit that stands over a place. */
export function unitAt(layer: LayerInfo, size: Size, x: number, y: number): Unit {
  const { columns, rows } = grid(layer, size);
  return { column: within(Math.floor((x * size.width) / layer.stride), columns), row: within(Math.floor((y * size.height) / layer.stride), rows) };
}

/** The middle of what a unit sees. */
export function middle(layer: LayerInfo, size: Size, unit: Unit): { x: number; y: number } {
  return { x: ((unit.column + 0.5) * layer.stride) / size.width, y: ((unit.row + 0.5) * layer.stride) / size.height };
}

/** The square of `field` pixels around it, as far as it lies inside the picture. */
export function fieldOf(layer: LayerInfo, size: Size, unit: Unit): Box {
  const at = middle(layer, size, unit);
  const [left, right] = clipped(at.x, layer.field / 2 / size.width);
  const [top, bottom] = clipped(at.y, layer.field / 2 / size.height);
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** The unit so many columns and rows further, inside the picture. */
export function moved(layer: LayerInfo, size: Size, unit: Unit, columns: number, rows: number): Unit {
  const all = grid(layer, size);
  return { column: within(unit.column + columns, all.columns), row: within(unit.row + rows, all.rows) };
}

const within = (place: number, count: number): number => Math.min(Math.max(place, 0), count - 1);

const clipped = (at: number, half: number): [number, number] => [Math.max(0, at - half), Math.min(1, at + half)];
