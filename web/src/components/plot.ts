/** Curves on a canvas: axes with few, round ticks, lines that break where there is no number. */

import { brushOn } from './brush';
import { short } from '../lib/numbers';
import { fromShare, toShare } from '../lib/scale';

export interface Line {
  stroke: string;
  dash: number[];
  values: (number | null)[];
}

export interface Axis {
  low: number;
  high: number;
  log: boolean;
  ticks: number[];
}

export const MARGIN = { left: 54, right: 10, top: 8, bottom: 36 }; // pixels around the curves, for the numbers
const FONT = '12px system-ui, sans-serif';
const APART = { x: 70, y: 34 }; // pixels between ticks, at least

/** Where a value is between the axis' ends, 0 … 1, and back. */
export const place = (axis: Axis, value: number): number => toShare(value, axis.low, axis.high, axis.log);
export const value = (axis: Axis, share: number): number => fromShare(share, axis.low, axis.high, axis.log);

/** The axis along the steps; on a logarithmic one step 0 stands at 1. */
export function across(x: number[], log: boolean, room: number): Axis {
  const low = log ? Math.max(1, x[0] ?? 1) : (x[0] ?? 0);
  return made(low, Math.max(x.at(-1) ?? 1, low + 1), log, room / APART.x);
}

/** The upright axis, which holds all lines; from nought if they come near to it. */
export function upright(lines: Line[], log: boolean, room: number): Axis {
  let [low, high] = [Infinity, -Infinity];
  for (const { values } of lines) {
    for (const each of values) {
      if (each === null || !Number.isFinite(each) || (log && each <= 0)) continue;
      low = Math.min(low, each);
      high = Math.max(high, each);
    }
  }
  if (low > high) [low, high] = log ? [1, 10] : [0, 1];
  if (log) return made(low / 1.2, high * 1.2, true, room / APART.y);
  if (low > 0 && low < 0.4 * high) low = 0;
  const spare = 0.05 * (high - low || Math.abs(high) || 1);
  return made(low === 0 ? 0 : low - spare, high + spare, false, room / APART.y);
}

function made(low: number, high: number, log: boolean, count: number): Axis {
  return { low, high, log, ticks: log ? powers(low, high, count) : rounds(low, high, count) };
}

/** Multiples of 1, 2 or 5 times a power of ten. */
function rounds(low: number, high: number, count: number): number[] {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

/** Powers of ten, every second or third of them if they are many; with 2 and 5 times them if they are few. */
function powers(low: number, high: number, count: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const every = Math.max(1, Math.ceil((last - first) / Math.max(1, count)));
  const factors = last - first <= 2 && 3 * (last - first) <= 2 * count ? [1, 2, 5] : [1];
  const found: number[] = [];
  for (let power = first; power <= last; power++) {
    if (power % every === 0) found.push(...factors.map((factor) => Number((factor * 10 ** power).toPrecision(3))));
  }
  return found.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

export interface Sheet {
  x: number[];
  lines: Line[];
  across: Axis;
  upright: Axis;
  name: string; // of the axis along the steps
  ink: string;
  grid: string;
}

/** Draw it all, `width` × `height` in the page's pixels. */
export function draw(canvas: HTMLCanvasElement, width: number, height: number, sheet: Sheet): void {
  const brush = brushOn(canvas, width, height);
  const box = { x: MARGIN.left, y: MARGIN.top, width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  const column = (each: number): number => box.x + place(sheet.across, each) * box.width;
  const row = (each: number): number => box.y + (1 - place(sheet.upright, each)) * box.height;
  drawAxes(brush, box, sheet, column, row);
  brush.beginPath();
  brush.rect(box.x - 4, box.y - 4, box.width + 8, box.height + 8);
  brush.clip();
  for (const line of sheet.lines) drawLine(brush, sheet, line, column, row);
}

type Brush = CanvasRenderingContext2D;
type Where = (value: number) => number;

function drawAxes(brush: Brush, box: DOMRectInit & { x: number; y: number; width: number; height: number }, sheet: Sheet, column: Where, row: Where): void {
  brush.font = FONT;
  brush.fillStyle = sheet.ink;
  brush.strokeStyle = sheet.grid;
  brush.beginPath();
  brush.textAlign = 'center';
  const foot = box.y + box.height;
  for (const tick of sheet.across.ticks) {
    const at = Math.round(column(tick)) + 0.5;
    brush.moveTo(at, box.y);
    brush.lineTo(at, foot + 4);
    brush.fillText(short(tick), at, foot + 17);
  }
  brush.fillText(sheet.name, box.x + box.width / 2, foot + 32);
  brush.textAlign = 'right';
  brush.textBaseline = 'middle';
  for (const tick of sheet.upright.ticks) {
    const at = Math.round(row(tick)) + 0.5;
    brush.moveTo(box.x - 4, at);
    brush.lineTo(box.x + box.width, at);
    brush.fillText(short(tick), box.x - 8, at);
  }
  brush.stroke();
}

function drawLine(brush: Brush, sheet: Sheet, line: Line, column: Where, row: Where): void {
  brush.strokeStyle = brush.fillStyle = line.stroke;
  brush.lineWidth = 2;
  brush.lineJoin = 'round';
  brush.setLineDash(line.dash);
  brush.beginPath();
  const has = (at: number): boolean => {
    const each = line.values[at];
    return each !== null && each !== undefined && Number.isFinite(each) && (!sheet.upright.log || each > 0);
  };
  for (let at = 0; at < sheet.x.length; at++) {
    if (!has(at)) continue;
    const [left, top] = [column(sheet.x[at] ?? 0), row(line.values[at] ?? 0)];
    if (has(at - 1)) brush.lineTo(left, top);
    else brush.moveTo(left, top);
    if (!has(at - 1) && !has(at + 1)) brush.fillRect(left - 2.5, top - 2.5, 5, 5); // alone
  }
  brush.stroke();
}
