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

/** Show pixels on a canvas, which is then as large. */
export function lay(canvas: HTMLCanvasElement | undefined, image: ImageData): void {
  if (!canvas) return;
  const { width, height } = image;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.getContext('2d')!.putImageData(image, 0, 0);
}
