"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.documentElement.classList.add("js");

  // The same layer lights up wherever it is named.
  const named = new Map();
  for (const element of all("[data-layer]")) {
    const layer = element.dataset.layer;
    if (!named.has(layer)) named.set(layer, []);
    named.get(layer).push(element);
  }
  const light = (event, on) => {
    const element = event.target.closest?.("[data-layer]");
    for (const each of named.get(element?.dataset.layer) ?? []) each.classList.toggle("lit", on);
  };
  document.addEventListener("pointerover", (event) => light(event, true));
  document.addEventListener("pointerout", (event) => light(event, false));

  // Before and after: a native slider cuts the photograph off.
  for (const compare of all(".compare")) {
    const panes = compare.querySelector(".panes");
    const label = compare.querySelector(".cut");
    const input = label.querySelector("input");
    const cut = () => panes.style.setProperty("--cut", `${input.value}%`);
    input.addEventListener("input", cut);
    label.hidden = false;
    cut();
  }

  // Reels: one moment at a time, wound by a slider or by itself.
  for (const reel of all(".reel")) {
    const moments = all(".moment", reel);
    const wind = reel.querySelector(".wind");
    const [input, output, play] = ["input", "output", ".play"].map((each) => wind.querySelector(each));
    let timer = 0;
    const show = () => {
      moments.forEach((moment, index) => moment.classList.toggle("shown", index === Number(input.value)));
      output.value = moments[Number(input.value)].dataset.moment;
      input.setAttribute("aria-valuetext", output.value);
    };
    const stop = () => {
      clearInterval(timer);
      timer = 0;
      play.textContent = "▶";
      play.setAttribute("aria-label", "play");
    };
    const next = () => {
      if (Number(input.value) >= moments.length - 1) return stop();
      input.value = Number(input.value) + 1;
      show();
    };
    play.addEventListener("click", () => {
      if (timer) return stop();
      if (Number(input.value) >= moments.length - 1) input.value = 0;
      show();
      play.textContent = "❚❚";
      play.setAttribute("aria-label", "pause");
      timer = setInterval(next, calm ? 1500 : 600);
    });
    input.addEventListener("input", () => { stop(); show(); });
    wind.hidden = moments.length < 2;
    show();
  }
})();
