/** A mask under the brush: opaque where the photograph stays, clear where the style goes. */

export const LONG_SIDE = 512; // pixels of the mask; the server fits it to the picture
const UNDOS = 20;

export interface Rectangle {
  left: number; // each 0 … 1
  top: number;
  right: number;
  bottom: number;
}

export class Mask {
  private readonly context: CanvasRenderingContext2D;
  private readonly past: ImageData[] = [];
  private last: { x: number; y: number } | null = null;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    picture: { width: number; height: number },
    private readonly colour: string,
  ) {
    const scale = LONG_SIDE / Math.max(picture.width, picture.height);
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    this.context = canvas.getContext('2d', { willReadFrequently: true })!;
  }

  get undos(): number {
    return this.past.length;
  }

  /** Begin a stroke at (x, y), 0 … 1; `size` is the brush's diameter relative to the long side. */
  begin(x: number, y: number, size: number, erase: boolean): void {
    this.remember();
    this.prepare(size, erase);
    this.last = { x, y };
    this.move(x, y);
  }

  move(x: number, y: number): void {
    if (!this.last) return;
    this.context.beginPath();
    this.context.moveTo(this.last.x * this.canvas.width, this.last.y * this.canvas.height);
    this.context.lineTo(x * this.canvas.width, y * this.canvas.height);
    this.context.stroke();
    this.last = { x, y };
  }

  end(): void {
    this.last = null;
  }

  rectangle({ left, top, right, bottom }: Rectangle, erase: boolean): void {
    this.remember();
    this.prepare(0, erase);
    const { width, height } = this.canvas;
    this.context.fillRect(left * width, top * height, (right - left) * width, (bottom - top) * height);
  }

  undo(): void {
    const before = this.past.pop();
    if (before) this.context.putImageData(before, 0, 0);
  }

  clear(): void {
    this.remember();
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** The share of the picture that is kept, 0 … 1. */
  covered(): number {
    const { data } = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height);
    let opaque = 0;
    for (let place = 3; place < data.length; place += 4) opaque += data[place]!;
    return opaque / 255 / (data.length / 4);
  }

  /** As the server reads it: a PNG, white where the style goes and black where the photograph stays. */
  address(): string {
    const black = this.sheet('black');
    black.context.globalCompositeOperation = 'destination-in';
    black.context.drawImage(this.canvas, 0, 0);
    const out = this.sheet('white');
    out.context.drawImage(black.canvas, 0, 0);
    return out.canvas.toDataURL('image/png');
  }

  private sheet(colour: string): { canvas: HTMLCanvasElement; context: CanvasRenderingContext2D } {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [this.canvas.width, this.canvas.height];
    const context = canvas.getContext('2d')!;
    context.fillStyle = colour;
    context.fillRect(0, 0, canvas.width, canvas.height);
    return { canvas, context };
  }

  private prepare(size: number, erase: boolean): void {
    this.context.globalCompositeOperation = erase ? 'destination-out' : 'source-over';
    this.context.fillStyle = this.context.strokeStyle = this.colour;
    this.context.lineCap = this.context.lineJoin = 'round';
    this.context.lineWidth = size * Math.max(this.canvas.width, this.canvas.height);
  }

  private remember(): void {
    this.past.push(this.context.getImageData(0, 0, this.canvas.width, this.canvas.height));
    if (this.past.length > UNDOS) this.past.shift();
  }
}
