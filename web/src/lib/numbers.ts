/** Numbers as people read them. */

const UP = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const MINUS = '−';

/** Three significant figures; very large and very small ones as 1.2·10⁶. */
export function short(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) {
    const [mantissa = '', exponent = '0'] = value.toExponential(Math.max(0, digits - 2)).split('e');
    const figures = mantissa.replace(/\.0+$/, '').replace('-', MINUS);
    const power = `10${exponent.startsWith('-') ? '⁻' : ''}${[...exponent.replace(/\D/g, '')].map((figure) => UP[Number(figure)]).join('')}`;
    return figures === '1' ? power : `${figures}·${power}`;
  }
  return String(Number(value.toPrecision(digits))).replace('-', MINUS);
}

/** A share of 0 … 1 in per cent. */
export const percent = (share: number): string => `${short(100 * share, share < 0.1 ? 2 : 3)} %`;

/** About how long: "8 s", "2 min", "1 h 10 min". */
export function duration(seconds: number): string {
  if (seconds < 99.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
