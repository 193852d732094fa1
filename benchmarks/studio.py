"""The studio against its budgets: `python benchmarks/studio.py [SECTION…]`, on a machine that does nothing else.

- weight: what the browser loads, gzipped;
- opening: first paint and first use, before torch is in;
- hover: pointing at a picture until everything that follows is drawn;
- layers: another layer in the X-ray, for the first time and again;
- steps: from the end of a step to the screen, from Stop to stopped, and when a moved slider acts;
- tabs: eight pages on one painting;
- memory: of the server over 200 paintings.

Needs the built pages (`make studio`) and Chromium. Ends with status 1 if a budget is exceeded. `--quick` measures less
of each, to see that it works.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import browsing
import in_page

TABS, RUNS, OPENINGS, HOVERS, STEPS = 8, 200, 5, 200, 200
LONG = 2000  # steps: more than any section waits for
TOLD = "GRAMARYE_BENCHMARK_TOLD"
# Notes when the server publishes each step, which is when it ends.
NOTING = f"""
import os, time
from gramarye.studio.events import Events
publish = Events.publish
def noted(self, kind, data):
    if kind == "step":
        with open(os.environ["{TOLD}"], "a") as file:
            file.write(f"{{data['index']}} {{time.time()}}\\n")
    publish(self, kind, data)
Events.publish = noted
"""


class Budgets:
    """What was measured against what is allowed."""

    def __init__(self, browser: Browser, folder: Path, *, quick: bool) -> None:
        self.browser, self.folder, self.quick = browser, folder, quick
        self.over: list[str] = []
        self._folders = itertools.count()

    def told(self, name: str, value: float, limit: float, unit: str) -> None:
        """Print one line, and remember what is too much."""
        fits = value <= limit
        print(f"{name:58} {value:8.1f} {unit:3} (≤ {limit:g}){'' if fits else '   OVER'}", flush=True)
        self.over += [] if fits else [name]

    def some(self, many: int) -> int:
        """So many, or with --quick a few."""
        return max(2, many // 20) if self.quick else many

    @contextmanager
    def studio(self, prelude: str = "") -> Iterator[browsing.Studio]:
        """A server in a new folder."""
        running = browsing.Studio(self.folder / str(next(self._folders)) / "home", prelude=prelude)
        try:
            yield running
        finally:
            running.end()

    @contextmanager
    def page(self, studio: browsing.Studio, place: str = "", script: str = "") -> Iterator[Page]:
        """A page in a browser that has seen nothing yet."""
        context = self.browser.new_context(viewport={"width": 1280, "height": 800})
        context.add_cookies([studio.cookie])
        context.set_default_timeout(60_000)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.goto(studio.url(place))
        page.locator("main[data-ready=true]").wait_for()
        try:
            yield page
        finally:
            context.close()


def weight(all_: Budgets) -> None:
    """JavaScript and CSS, gzipped."""
    files = [path for path in built().rglob("*") if path.suffix in {".js", ".css"}]
    sizes = {path: len(gzip.compress(path.read_bytes(), 9, mtime=0)) / 1000 for path in files}
    for path, size in sorted(sizes.items(), key=lambda each: -each[1])[:6]:
        print(f"  {path.name:40} {size:6.1f} kB")
    all_.told("JavaScript and CSS, gzipped", sum(sizes.values()), 120, "kB")


def opening(all_: Budgets) -> None:
    """First paint and first use of a server just started, whose torch is not in."""
    painted, usable = list[float](), list[float]()
    with all_.studio() as studio:
        for _ in range(all_.some(OPENINGS)):
            studio.end()
            studio.begin()
            with all_.page(studio, script=in_page.USABLE) as page:
                page.wait_for_function("window.usable")
                early = not studio.ask("/api/state")["ready"]
                painted.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
                usable.append(page.evaluate("window.usable"))
                when = "before" if early else "AFTER"
                print(f"  painted {painted[-1]:.0f} ms, usable {usable[-1]:.0f} ms, {when} torch")
    all_.told("first paint, median", statistics.median(painted), 500, "ms")
    all_.told("usable, median", statistics.median(usable), 1000, "ms")


def hover(all_: Budgets) -> None:
    """Pointing at the largest picture of three screens."""
    with all_.studio() as studio:
        run = studio.paint(size=256)
        studio.await_run(run)
        for screen in ("paint", "xray", "lab"):
            with all_.page(studio, f"#/{screen}?run={run}") as page:
                for when in ("from the third second on", "at rest"):
                    if when == "at rest":  # in X-ray the network is at work for much longer
                        page.wait_for_function(in_page.AT_REST, timeout=120_000)
                    else:
                        page.wait_for_timeout(3000)
                    times = sorted(page.evaluate(in_page.HOVER, all_.some(HOVERS)))
                    all_.told(f"hover to redraw, {screen}, {when}, 95 of 100", at(times, 0.95), 16, "ms")


def layers(all_: Budgets) -> None:
    """From layer to layer in the X-ray, deeper and back, at 256 px with the lite network."""
    with all_.studio() as studio:
        run = studio.paint(size=256)
        studio.await_run(run)
        with all_.page(studio, f"#/xray?run={run}&layer=relu1_1") as page:
            page.get_by_role("heading", name="Channels of relu1_1").wait_for()
            cold = [page.evaluate(in_page.SWITCH, "]") for _ in range(5)]
            cached = [page.evaluate(in_page.SWITCH, key) for key in "[[[[[]]]]]"]
    all_.told("layer switch, cold, longest of 5", max(cold), 1000, "ms")
    all_.told("layer switch, cached, longest of 10", max(cached), 100, "ms")


def steps(all_: Budgets) -> None:
    """A painting of 256 px that is watched, steered and stopped."""
    log = all_.folder / "told.txt"
    os.environ[TOLD] = str(log)
    with all_.studio(NOTING) as studio:
        run = studio.paint(size=256, steps=LONG)
        studio.await_run(run, lambda found: found["index"] >= 5)
        with all_.page(studio, f"#/paint?run={run}") as page:
            page.evaluate(in_page.DRAWN)
            enough = studio.ask(f"/api/runs/{run}")["index"] + all_.some(STEPS)
            studio.await_run(run, lambda found: found["index"] >= enough)
            lag = lags(page, log)
            all_.told("a step's end to the screen, 95 of 100", 1000 * at(lag, 0.95), 100, "ms")
            all_.told("steps until a moved slider acts", acts_after(studio, run), 1, "")
            step = statistics.median(studio.ask(f"/api/runs/{run}")["steps_made"]["ms"][-20:])
            all_.told("Stop to stopped", stopped_after(page), step + 100, "ms")


def lags(page: Page, log: Path) -> list[float]:
    """Seconds from the end of each step until it is drawn, of those that were."""
    ends = {words[0]: float(words[1]) for line in log.read_text().splitlines() if len(words := line.split()) == 2}
    drawn: dict[str, float] = page.evaluate("window.drawn")
    return sorted(seconds - ends[index] for index, seconds in drawn.items() if index in ends)


def acts_after(studio: browsing.Studio, run: str) -> int:
    """How many steps are made after a change was taken until one is made with it."""
    studio.ask(f"/api/runs/{run}/control", {"action": "change", "settings": {"strength": 1.3}})
    taken = studio.ask(f"/api/runs/{run}")["index"]
    found = studio.await_run(run, lambda each: bool(each["changes"]) and each["index"] > each["changes"][-1]["index"])
    return int(found["changes"][-1]["index"]) - int(taken)


def stopped_after(page: Page) -> float:
    """Milliseconds from a click on Stop until the page says so."""
    return float(page.evaluate(in_page.STOP))


def tabs(all_: Budgets) -> None:
    """Eight pages on one painting, each in a window of its own."""
    log = all_.folder / "told-tabs.txt"
    os.environ[TOLD] = str(log)
    with all_.studio(NOTING) as studio:
        run = studio.paint(size=256, steps=LONG)
        alone = pace(studio, run, all_.some(STEPS))
        with ExitStack() as open_:
            pages = [open_.enter_context(all_.page(studio, f"#/paint?run={run}")) for _ in range(TABS)]
            for page in pages:
                page.evaluate(in_page.DRAWN)
            together = pace(studio, run, all_.some(STEPS))
            lag = [at(lags(page, log), 0.95) for page in pages]
        studio.ask(f"/api/runs/{run}/control", {"action": "stop"})
    all_.told(f"a step's end to the slowest of {TABS} screens, 95 of 100", 1000 * max(lag), 100, "ms")
    print(f"  a step takes {1000 * alone:.0f} ms unwatched, {1000 * together:.0f} ms with {TABS} pages open")


def pace(studio: browsing.Studio, run: str, count: int) -> float:
    """Seconds of one step."""
    first = studio.await_run(run, lambda found: found["index"] >= 3)["index"]
    began = time.perf_counter()
    last = studio.await_run(run, lambda found: found["index"] >= first + count)["index"]
    return (time.perf_counter() - began) / (last - first)


def memory(all_: Budgets) -> None:
    """The server's memory after a tenth of many small paintings, and after all."""
    with all_.studio() as studio:
        count, first = all_.some(RUNS), 0.0
        for number in range(count):
            studio.await_run(studio.paint(size=128, steps=10, seed=number))
            if number == count // 10:
                first = resident(studio.process.pid)
        last = resident(studio.process.pid)
    print(f"  {first:.0f} MB after {count // 10 + 1} paintings, {last:.0f} MB after {count}")
    all_.told(f"growth over {count} paintings (a frame store has 8 MB)", last - first, 8, "MB")


def resident(process: int) -> float:
    """Megabytes of a process that are in memory."""
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("VmRSS"))


def at(ordered: Sequence[float], share: float) -> float:
    """The value below which this share of them lies."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def built() -> Path:
    """The folder of the pages."""
    return Path(os.environ.get(browsing.STATIC) or browsing.BUILT)


SECTIONS: dict[str, Any] = {each.__name__: each for each in (weight, opening, hover, layers, steps, tabs, memory)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []])
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if not (built() / "index.html").is_file() or browsing.chromium() is None:
        print("the studio is measured with its pages built (make studio) and Chromium installed: skipped")
        return 0
    with browsing.browser(browsing.chromium()) as browser, tempfile.TemporaryDirectory() as folder:
        budgets = Budgets(browser, Path(folder), quick=options.quick)
        for section in options.sections or SECTIONS:
            print(f"— {section}", flush=True)
            SECTIONS[section](budgets)
    return 1 if budgets.over else 0


if __name__ == "__main__":
    sys.exit(main())
