/** Light wall or dark room: as the system says, or as the reader chose. Canvases read the colours from here. */

type Theme = 'auto' | 'light' | 'dark';

const KEY = 'gramarye-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

class Look {
  chosen = $state<Theme>(kept());
  #system = $state(system.matches);
  readonly dark = $derived(this.chosen === 'auto' ? this.#system : this.chosen === 'dark');

  constructor() {
    system.addEventListener('change', () => (this.#system = system.matches));
    this.#apply();
  }

  /** From the wall to the room or back; what the system says too needs no choice. */
  turn(): void {
    const dark = !this.dark;
    this.chosen = dark === this.#system ? 'auto' : dark ? 'dark' : 'light';
    localStorage.setItem(KEY, this.chosen);
    this.#apply();
  }

  #apply(): void {
    document.documentElement.dataset.theme = this.chosen;
  }
}

function kept(): Theme {
  const said = localStorage.getItem(KEY);
  return said === 'light' || said === 'dark' ? said : 'auto';
}

export const look = new Look();

export type Colour = 'content' | 'style' | 'ink' | 'soft' | 'line' | 'wall' | 'accent';

const known = new Map<string, string>(); // asking for a style anew makes the browser work out the whole page

/** A token's colour now, as rgb(…): for canvases, which know no variables. Reading it follows the theme. */
export function colour(name: Colour): string {
  const key = `${name} ${look.dark ? 'dark' : 'light'}`;
  const found = known.get(key) ?? getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
  known.set(key, found);
  return found;
}

/** The same as three numbers of 0 … 255. */
export function rgb(name: Colour): [number, number, number] {
  const [red = 0, green = 0, blue = 0] = (colour(name).match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}
