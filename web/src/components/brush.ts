/** A canvas made empty, `width` × `height` pixels of the page as fine as the screen's, and what draws on it in those units. */
export function brushOn(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const brush = canvas.getContext('2d')!;
  const fine = devicePixelRatio || 1;
  const [wide, tall] = [Math.round(width * fine), Math.round(height * fine)];
  if (canvas.width !== wide || canvas.height !== tall) Object.assign(canvas, { width: wide, height: tall });
  else brush.reset();
  brush.scale(fine, fine);
  return brush;
}
