/**
 * What the server says, in JSON. The Python side makes these shapes in `src/gramarye/studio`; names are the same there.
 * All identifiers are opaque: the page never names a path or an address of a picture.
 */

export type Id = string;

/** A photograph or a painting in the gallery; as pictures at /api/pictures/ID/SIDE.webp, SIDE being 160, 512 or 1024. */
export interface Picture {
  id: Id;
  kind: 'photograph' | 'painting';
  title: string;
  credit: string;
  width: number;
  height: number;
  bundled: boolean;
}

/** One knob of the settings that the page offers, as `Settings` declares it. */
export interface Knob {
  name: string; // dotted: style.weight
  title: string; // plain words
  help: string;
  kind: 'content' | 'style' | 'other'; // its colour
  value: number | string | number[];
  low: number | null;
  high: number | null;
  log: boolean;
  choices: string[];
  live: boolean; // may be changed while it paints
}

export interface PresetInfo {
  name: string; // draft, default, large
  title: string;
  help: string;
  size: number;
  steps: number;
  seconds: number | null; // about how long it takes here; null if unknown yet
}

/** GET /api/state: what is there when the page opens. */
export interface State {
  version: string;
  ready: boolean; // torch is loaded and something can be painted
  network: { name: string; title: string; why: string };
  presets: PresetInfo[];
  knobs: Knob[];
  layers: LayerInfo[];
  pictures: Picture[];
  runs: RunSummary[];
  limits: { bytes: number; megapixels: number; suffixes: string[]; runs: number };
}

/** A layer of the network; a unit at (row, column) sees `field` pixels square around
 *  ((column + 0.5) · stride, (row + 0.5) · stride), of the picture in its own size. */
export interface LayerInfo {
  name: string; // relu1_1
  block: number;
  channels: number;
  stride: number;
  field: number;
  help: string;
  style: boolean; // asked for style by the default preset
  content: boolean;
}

export type RunState = 'waiting' | 'running' | 'paused' | 'finished' | 'stopped' | 'interrupted' | 'failed';

export interface RunSummary {
  id: Id;
  state: RunState; // interrupted: the server went away; it can be resumed
  title: string;
  content: Id;
  styles: Id[];
  preset: string;
  started: string; // ISO 8601
  index: number; // evaluations made
  steps: number; // evaluations in all
  seconds: number;
  remaining: number | null; // seconds
  frame: number | null; // the newest frame's index
  parent: { run: Id; index: number } | null; // branched from there
  demo: boolean; // made for the first opening
  error: string | null; // one line: the rule, what was received, the remedy
}

export interface Term {
  name: string; // "style relu1_1"
  kind: 'content' | 'style' | 'tv' | 'box';
  layer: string;
}

/** A frame at /api/runs/ID/frames/INDEX.webp; its pixels never change. */
export interface Frame {
  index: number;
  width: number;
  height: number;
}

/** GET /api/runs/ID. `steps` is by columns, one entry a step; weighted and gradients are in the order of `terms`. */
export interface Run extends RunSummary {
  width: number; // of the finished picture
  height: number;
  settings: Record<string, number | string | boolean | number[] | string[]>; // every knob by its dotted name
  terms: Term[];
  steps_made: {
    index: number[];
    scale: number[];
    total: number[];
    weighted: number[][];
    gradients: (number[] | null)[];
    ms: number[];
  };
  frames: Frame[];
  changes: { index: number; settings: Record<string, number | number[]> }[]; // made while it painted
  command: string; // the equivalent command line
  mask: boolean;
}

/** What comes down the one event stream, /api/events: `event:` is the key, `data:` the JSON. */
export interface StreamEvents {
  hello: { version: string; ready: boolean };
  ready: { ready: true };
  run: RunSummary; // begun, or its state changed
  gone: { run: Id };
  step: { run: Id; index: number; scale: number; total: number; weighted: number[]; gradients: number[] | null; ms: number; remaining: number | null };
  frame: { run: Id } & Frame;
  terms: { run: Id; terms: Term[] }; // known once the painting is prepared, and after a change of weights
  job: { key: string; state: 'waiting' | 'running' | 'done' | 'failed'; done: number; said: string; error: string | null };
  picture: Picture;
  study: { id: Id };
  film: { id: Id }; // a film was brought, begun, changed or deleted: ask again
  moment: Moment & { film: Id; remaining: number | null };
}

/** POST /api/runs. */
export interface RunRequest {
  content: Id;
  styles: Id[];
  preset: string;
  settings?: Record<string, number | string | number[] | string[]>;
  start?: { run: Id; index: number }; // branch: begin with that frame
  mask?: string; // data:image/png;base64,… white where the style goes, black where the photograph stays
  without?: { layer: string; channels: [number, number] }[]; // pairs left out of the Gram matrices
}

/** POST /api/runs/ID/control. `step` makes one step and pauses; `resume` also takes an interrupted run up again. */
export type Control = { action: 'pause' | 'resume' | 'step' | 'stop' } | { action: 'change'; settings: Record<string, number | number[]> };

// ---- what the lens shows of a run: GET /api/runs/ID/lens/… ; each answers when it is computed (see `job`) -----------

export type Which = 'photograph' | 'painting' | 'result';

/** lens/LAYER/channels.json, and the sprites at lens/LAYER/WHICH.webp: grey, a grid of `columns` × `rows` cells. */
export interface Channels {
  layer: string;
  shown: number[]; // channels in the order of the cells, the strongest in the photograph first
  channels: number; // in all
  columns: number;
  rows: number;
  pictures: Record<Which, { url: string; cell: [number, number]; width: number; height: number; energy: number[] }>; // cell: width, height of one map in the sprite
  peaks: Record<Which, [number, number][]>; // per shown channel, x and y in 0…1 where it fires most
}

/** lens/LAYER/rebuilt.json (content, from that layer alone) and lens/LAYER/texture.json (style, from that layer, or with
 *  ?together=1 from all style layers up to it). */
export interface Rebuilding {
  layer: string;
  layers: string[];
  frames: { step: number; url: string }[]; // steps 0, 4, 16, 64, 256 as far as made
  course: [number, number][]; // step, relative error of what was asked
  distance: number | null; // of the last frame from the photograph, root mean square over [0, 1]; null for textures
  says: string; // one plain sentence
}

/** lens/pulls/INDEX.json: who pulls each cell of a grid × grid net over that frame; base64 of uint8, row by row. */
export interface Pulls {
  index: number;
  grid: number;
  layers: string[]; // "content", then the style layers
  full: number;
  magnitudes: string; // grid · grid · layers, 255 = full
  directions: string; // 0 against the content … 127 across … 254 with it
}

/** lens/LAYER/gram.json. Matrices are of at most 64 × 64 bins, row by row; channels stand in `order`. */
export interface GramInfo {
  layer: string;
  channels: number;
  order: number[];
  bins: number;
  matrices: Record<Which, number[]>;
  differences: { start: number[]; now: number[] }; // painting − photograph, painting − result
  distances: { photograph: number; result: number }; // from the painting's, relative: ‖G − A‖²/‖A‖²
  pairs: { channels: [number, number]; values: Record<Which, number> }[]; // the 50 strongest of the painting
  wanted: [number, number]; // the pair that the painting has and the photograph lacks most
  components: { rank: number; share: number; url: string; painting: string }[]; // pictures of the leading ones
}

/** lens/LAYER/pair/I-J.json */
export interface PairInfo {
  layer: string;
  channels: [number, number];
  values: Record<Which, number>;
  maps: Record<Which, { first: string; second: string; product: string }>; // urls
  places: { url: string; x: number; y: number; width: number; height: number }[]; // in the painting, 0…1
  says: string;
}

/** lens/LAYER/shuffle.json?seed=N: the positions of the photograph's activations in random order. */
export interface ShuffleInfo {
  layer: string;
  seed: number;
  before: { content: number; style: number };
  after: { content: number; style: number };
  gram_change: number; // largest change of an entry, relative
  matrices: { before: number[]; after: number[]; bins: number };
  maps: { before: string; after: string }; // urls of one channel
  tiles: { size: number; url: string; content: number; style: number }[]; // the photograph itself, cut and shuffled
  says: string;
}

/** GET /api/distance?one=ID&other=ID */
export interface DistanceInfo {
  layers: { layer: string; relative: number }[];
  says: string;
}

// ---- studies: GET /api/studies, /api/studies/ID ---------------------------------------------------------------------

export interface StudySummary {
  id: Id;
  name: string;
  question: string;
  state: 'running' | 'done' | 'stopped';
  trials: Record<string, number>; // by state
  total: number;
}

export interface Trial {
  number: number;
  group: string;
  pair: string;
  state: string;
  levels: Record<string, string | number>;
  scores: Record<string, number>;
  seconds: number | null;
  image: string | null; // url of a thumbnail; ?side=512 for a larger one
}

export interface Study extends StudySummary {
  groups: { name: string; question: string; reported: string; axes: string[] }[];
  scores: { name: string; title: string; better: 'lower' | 'higher'; help: string }[];
  trials_table: Trial[];
  findings: { group: string; says: string[] }[];
  warnings: string[]; // what may not be compared, and why
  choice: { question: string; left: number; right: number } | null; // the next "which is better?"
  preferences: { trial: number; strength: number }[];
}

/** GET /api/studies/ID/curves?trials=1,2 */
export interface Curves {
  curves: { trial: number; index: number[]; total: number[] }[];
}

// ---- films: GET /api/films ------------------------------------------------------------------------------------------

/** What may be painted; its first frame at /api/clips/ID/poster.webp. */
export interface Clip {
  id: Id;
  title: string;
  width: number;
  height: number;
  frames: number;
  seconds: number;
  rate: number; // frames a second
  sound: boolean;
  notes: string[];
  bundled: boolean; // the demonstration
}

/** A film that is painted; frame N at /api/films/ID/VIEW/N.webp, VIEW being painted, filmed, flow or hidden. */
export interface Film {
  id: Id;
  title: string;
  clip: Id;
  painting: Id;
  size: number;
  width: number;
  height: number;
  rate: number;
  count: number; // frames in all, about
  sound: boolean;
  started: string;
  state: RunState; // running, too, while the film is written
  index: number; // frames painted
  seconds: number;
  remaining: number | null;
  error: string | null;
  findings: string[]; // what its flicker says
  notes: string[];
  film: boolean; // it is at /api/films/ID/painted.mp4
}

/** A frame beside the one before it; null where nothing is before. */
export interface Moment {
  index: number;
  warp_error: number | null; // of the painting
  source_warp_error: number | null; // of the film itself
  seen: number; // the share that was seen before
  cut: boolean;
  motion: number | null; // pixels that have the full colour in the picture of flow
}

/** GET /api/films/ID: with its frames by columns. */
export interface ShownFilm extends Film {
  moments: { [name in Exclude<keyof Moment, 'index'>]: Moment[name][] };
}

export interface Films {
  missing: string | null; // what must be installed first
  limits: { bytes: number; frames: number; seconds: number; suffixes: string[]; sizes: number[] };
  clips: Clip[];
  films: Film[]; // the newest first
}

/** POST /api/films. */
export interface FilmRequest {
  clip: Id;
  painting: Id;
  size: number;
}

/** What every error looks like, with a status of 4xx or 5xx. */
export interface Wrong {
  error: string; // one line: the rule, what was received, the remedy
}
