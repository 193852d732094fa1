/** What a step looks like when it cannot be touched any more: pictures with captions, rows of numbers, sentences. */

export interface Shot {
  src: string; // data:
  alt: string;
  caption: string;
  sharp?: boolean; // squares of a matrix, not to be blended
  over?: string; // HTML that lies over it, made by us from numbers
}

export interface Still {
  shots: Shot[];
  table?: { head: string[]; rows: string[][] };
  chart?: Line[];
  says: string[];
}

export interface Line {
  name: string;
  kind: 'content' | 'style' | 'other';
  points: [number, number][];
}
