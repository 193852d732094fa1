"""What `studio.py` runs inside the studio's pages to measure them, in JavaScript. Times are milliseconds."""

# When the page can be used, since it was asked for.
USABLE = """
new MutationObserver((_, observer) => {
  if (document.querySelector('main[data-ready=true] button.big:enabled')) {
    window.usable = performance.now();
    observer.disconnect();
  }
}).observe(document, { subtree: true, childList: true, attributes: true });
"""

# Whether everything that the page asked for has come.
AT_REST = "() => [...document.querySelectorAll('main progress')].every(each => each.value === 1)"

# Moves the pointer over the largest picture in sight, `count` times: from the beginning of a frame until it is drawn;
# what is put off to the next frame counts too.
HOVER = """
async (count) => {
  const size = each => each.clientWidth * each.clientHeight;
  const inSight = each => each.getBoundingClientRect().bottom > 0 && each.getBoundingClientRect().top < innerHeight;
  const pictures = [...document.querySelectorAll('main img, main canvas')].filter(inSight);
  const [largest] = pictures.sort((one, other) => size(other) - size(one));
  const frame = () => new Promise(requestAnimationFrame);
  const drawn = () => new Promise(done => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => done(performance.now());
    port2.postMessage(0);
  });
  const times = [];
  for (let at = 0; at < count; at++) {
    const { left, top, width, height } = largest.getBoundingClientRect();
    const x = left + width * (0.1 + 0.8 * ((at * 0.618) % 1));
    const y = top + Math.min(height, innerHeight - top) * (0.1 + (0.8 * at) / count);
    const told = { bubbles: true, clientX: x, clientY: y, pointerType: 'mouse' };
    const target = document.elementFromPoint(x, y) ?? largest;
    await frame();
    const began = performance.now();
    target.dispatchEvent(new PointerEvent('pointermove', told));
    const first = await drawn() - began;
    await frame();
    const again = performance.now();
    times.push(first + await drawn() - again);
  }
  return times;
}
"""

# Another layer of the X-ray by its key, until its channels are there.
SWITCH = """
async (key) => {
  const heads = () => [...document.querySelectorAll('section[aria-busy=false] h2')].map(each => each.textContent);
  const there = () => heads().find(each => each.startsWith('Channels of'));
  const before = there(), began = performance.now();
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  while (!there() || there() === before) {
    if (performance.now() - began > 20000) throw new Error('the layer does not come');
    await new Promise(requestAnimationFrame);
  }
  return performance.now() - began;
}
"""

# Notes in `drawn` when each step is on the screen, in seconds since 1970.
DRAWN = """
() => {
  const course = document.querySelector('section[data-index]');
  window.drawn = {};
  const note = () => {
    const index = course.dataset.index;
    requestAnimationFrame(() => (window.drawn[index] ??= (performance.timeOrigin + performance.now()) / 1000));
  };
  new MutationObserver(note).observe(course, { attributes: true, attributeFilter: ['data-index'] });
}
"""

# From a click on Stop until the page says that it has stopped, in milliseconds.
STOP = """
async () => {
  const stopped = () => document.querySelector('section[data-state=stopped]');
  const button = [...document.querySelectorAll('button')].find(each => each.textContent.trim() === 'Stop');
  const began = performance.now();
  const said = new Promise(done => {
    const seen = new MutationObserver(() => stopped() && done(performance.now()));
    seen.observe(document.body, { subtree: true, childList: true, attributes: true });
  });
  button.click();
  return (await said) - began;
}
"""
