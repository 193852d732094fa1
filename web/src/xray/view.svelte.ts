/** Whether a part of the page has come to the screen: what takes long is only worked out for somebody who is there. */

const NEARLY = '200px';

export class View {
  near = $state(false); // it is there, or was since it was last settled: what grows above may push it away
  #inside = false;

  /** For {@attach view.watch}. */
  watch = (part: Element): (() => void) => {
    const seen = new IntersectionObserver((entries) => this.#see(entries.at(-1)!.isIntersecting), { rootMargin: NEARLY });
    seen.observe(part);
    return () => seen.disconnect();
  };

  /** Something else is looked at now: only what is there counts. */
  settle(): void {
    this.near = this.#inside;
  }

  #see(inside: boolean): void {
    this.#inside = inside;
    this.near ||= inside;
  }
}
