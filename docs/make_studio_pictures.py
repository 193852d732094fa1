"""Photograph the studio for the documentation: `python docs/make_studio_pictures.py [HOME] [NAMES…]`.

Serves the studio from the folder HOME, in which the demo is painted and looked into first (minutes, the first time; a
folder beside this file's checkout is used without HOME), opens it in Debian's chromium and writes
docs/images/studio-NAME.jpg. NAMES choose some of them. The pages must be built: `make studio`.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from gramarye.study import running

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tests"))

import browsing  # noqa: E402

QUALITY = 72
PATIENCE = 120_000  # milliseconds
SETTLED = 600  # milliseconds, for pictures that fade in
SCALE = 0.25  # of the study that is shown


@dataclass(frozen=True)
class View:
    """One picture: where in the studio, what is done there first, and how large and dark the window is."""

    place: str
    act: Callable[[Page], object] = lambda page: None
    size: tuple[int, int] = (1280, 800)
    dark: bool = False


def word(words: str) -> Callable[[Page], object]:
    """Click words of the tour."""
    return lambda page: page.locator("article").get_by_role("link", name=words, exact=True).click()


def study(page: Page) -> None:
    """Open the one study that is there."""
    page.get_by_role("button", name="style-weight", exact=True).click()
    expect(page.get_by_role("region", name="Table of style-weight")).to_be_visible(timeout=PATIENCE)


VIEWS = {
    "start": View("#/start"),
    "paint": View("#/paint?run=RUN", size=(1280, 1440)),
    "xray": View("#/xray?run=RUN&layer=relu3_1", size=(1280, 900)),
    "lab": View("#/lab?run=RUN&layer=relu3_1", size=(1280, 900)),
    "tour": View("#/tour?run=RUN&step=1"),
    "content": View("#/tour?run=RUN&step=2&layer=relu5_1"),
    "pair": View("#/tour?run=RUN&step=3"),
    "where-before": View("#/tour?run=RUN&step=4&layer=relu3_1", size=(1280, 860)),
    "where-after": View("#/tour?run=RUN&step=4&layer=relu3_1", word("shuffle all places"), size=(1280, 860)),
    "tiles": View("#/tour?run=RUN&step=4&layer=relu3_1", word("tiles of 32 pixels"), size=(1280, 860)),
    "pulls": View("#/tour?run=RUN&step=9", dark=True),
    "studies": View("#/studies", study, size=(1280, 1000)),
    "phone": View("#/tour?run=RUN&step=3", size=(390, 844), dark=True),
}


@contextmanager
def served(home: Path) -> Iterator[browsing.Studio]:
    """A studio with the demo painted and looked into, and with a study of four paintings."""
    program = [sys.executable, "-c", "from gramarye.cli import main; main()", "serve", "--prepare", "--home", str(home)]
    subprocess.run(program, check=True)
    studies = home.with_name(f"{home.name}-studies")
    running.run("style-weight", scale=SCALE, store=studies / "style-weight.study", workers=1)
    studio = browsing.Studio(home, studies=studies)
    try:
        yield studio
    finally:
        studio.end()


def demo_of(studio: browsing.Studio) -> str:
    """The demo's run that the tour speaks of."""
    runs = studio.ask("/api/state")["runs"]
    return str(next(run["id"] for run in runs if run["demo"] and run["styles"] == ["demo-swirl"]))


def photograph(browser: Browser, studio: browsing.Studio, view: View, run: str) -> bytes:
    """A PNG of the window, when nothing is on its way any more."""
    width, height = view.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if view.dark else "light",
        reduced_motion="reduce",
    )
    context.add_cookies([studio.cookie])
    page = context.new_page()
    page.goto(studio.url(view.place.replace("RUN", run)))
    settle(page)
    view.act(page)
    settle(page)
    taken = page.screenshot()
    context.close()
    return taken


def settle(page: Page) -> None:
    """Wait until everything that was asked for is there."""
    expect(page.locator("main[data-ready=true]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=PATIENCE)
    page.wait_for_timeout(SETTLED)


def compressed(png: bytes) -> bytes:
    """The same picture as a JPEG."""
    found = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(found, "JPEG", quality=QUALITY, subsampling=0, optimize=True)
    return found.getvalue()


def main() -> None:
    home = Path(sys.argv[1]) if sys.argv[1:] else DOCS.parent.with_name("gramarye-pictures") / "home"
    wanted = sys.argv[2:] or list(VIEWS)
    with served(home) as studio, browsing.browser(browsing.chromium()) as browser:
        run = demo_of(studio)
        for name in wanted:
            data = compressed(photograph(browser, studio, VIEWS[name], run))
            (DOCS / "images" / f"studio-{name}.jpg").write_bytes(data)
            print(name, len(data), flush=True)


if __name__ == "__main__":
    main()
