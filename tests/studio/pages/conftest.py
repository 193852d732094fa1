"""Fixtures for the tests of pages: a real server with a finished run, a browser that watches itself, axe-core.

    def test_x(visit, studio_server, page, axe):
        visit(page, "paint", run=studio_server.run)     waits for data-ready
        axe(page)

`page` is 1280×800, `phone` 390×844; `open_page(width, height, **options)` is any other. A message of an error on the
console, an error in a script or a request to anywhere but the studio fails the test; `watch.allow("pattern")` lets a
message pass. GRAMARYE_STUDIO_STATIC names a build of the pages to be tested in place of the checkout's own.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import browsing
from gramarye.studio.frames import APART

from .watching import PreparedStudio, Watch

GIVEN = os.environ.get(browsing.STATIC)  # as it is before tests have folders of their own
DESK, PHONE = (1280, 800), (390, 844)
PATIENCE = 60_000  # milliseconds, on a busy machine
SMALL = "from gramarye.studio import lens_lab; lens_lab.SIDE = 64"  # what the network rebuilds
expect.set_options(timeout=PATIENCE)


def absent(reason: str) -> NoReturn:
    """What is missing may be missing, but not under CI."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def static(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of the built pages; they are built if they are older than their sources."""
    if GIVEN:
        return GIVEN
    if not browsing.AXE.is_file():
        absent("the pages' tools are not installed: make studio")
    lock = tmp_path_factory.getbasetemp().parent / "pages.lock"  # one folder for all workers of xdist
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not browsing.built():
            browsing.build()
    return str(browsing.BUILT)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser; without Debian's package there is none, which is allowed but under CI."""
    program = browsing.chromium(shell=True)
    if program is None:
        absent("no Chromium on this machine: apt-get install chromium-headless-shell")
    with browsing.browser(program) as running:
        yield running


@pytest.fixture(scope="session")
def studio_server(browser: Browser, static: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PreparedStudio]:
    """A running studio in which one small painting is finished."""
    running = PreparedStudio(tmp_path_factory.mktemp("served") / "home", static=static, prelude=SMALL)
    try:
        running.run = run = running.paint()
        control = f"/api/runs/{run}/control"
        running.ask(control, {"action": "pause"})
        for index in (1, 2, 3):  # apart in time, so that these frames are kept
            running.ask(control, {"action": "step"})
            running.await_run(run, lambda found, index=index: found["index"] >= index)
            time.sleep(1.5 * APART)
        running.ask(control, {"action": "resume"})
        running.await_run(run)
        yield running
    finally:
        running.end()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Watches over every page of the test, and fails it at its end."""
    watching = Watch()
    yield watching
    if watching.wrong:
        pytest.fail("seen in the pages:\n" + "\n".join(watching.wrong), pytrace=False)


@pytest.fixture
def open_page(browser: Browser, studio_server: PreparedStudio, watch: Watch) -> Iterator[Callable[..., Page]]:
    """Opens a page of any size, let in, at no address yet: `open_page(768, 900, color_scheme="dark", server=other)`."""
    contexts: list[BrowserContext] = []

    def opened(width: int, height: int, *, server: browsing.Studio | None = None, **options: Any) -> Page:
        known = {"reduced_motion": "reduce", "viewport": {"width": width, "height": height}, **options}
        context = browser.new_context(**known)
        context.set_default_timeout(PATIENCE)
        context.add_cookies([(server or studio_server).cookie])
        watch.over(context)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A page on a desk: 1280×800."""
    return open_page(*DESK)


@pytest.fixture
def phone(open_page: Callable[..., Page]) -> Page:
    """A page in a hand: 390×844, touched."""
    return open_page(*PHONE, has_touch=True, is_mobile=True)


@pytest.fixture
def visit(studio_server: PreparedStudio) -> Callable[..., Page]:
    """Goes to a screen and waits until it is there: `visit(page, "xray", run=…, layer="relu3_1")`."""

    def gone(page: Page, screen: str = "start", *, server: browsing.Studio | None = None, **query: object) -> Page:
        said = f"?{urlencode(query)}" if query else ""
        page.goto("about:blank")  # else a page that is there already may stay as it is
        page.goto((server or studio_server).url(f"#/{screen}{said}"))
        expect(page.locator(f"main[data-screen={screen}][data-ready=true]")).to_be_visible()
        return page

    return gone


@pytest.fixture
def axe() -> Callable[..., None]:
    """Asserts that axe-core finds nothing in a page: `axe(page)`, `axe(page, rules=["color-contrast"])`."""
    source = browsing.AXE.read_text()

    def checked(page: Page, rules: list[str] | None = None) -> None:
        page.evaluate(source)
        options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
        found = page.evaluate("options => axe.run(document, options)", options)
        wrong = [
            f"{each['id']} ({each['impact']}): {each['help']}: "
            + " | ".join(node["html"][:160] for node in each["nodes"][:4])
            for each in found["violations"]
        ]
        if wrong:
            pytest.fail("axe-core found:\n" + "\n".join(wrong), pytrace=False)

    return checked


@pytest.fixture
def picture_file(tmp_path: Path) -> Path:
    """A small photograph of one's own, to be uploaded."""
    from gramarye import images
    from networks import picture

    images.save(picture(90, 120, 7), tmp_path / "my photograph.jpg")
    return tmp_path / "my photograph.jpg"
