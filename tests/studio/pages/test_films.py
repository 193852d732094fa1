"""The screen Films in a browser, on a server that really paints."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

import browsing
from gramarye.video.frames import film as opened

from ..cinema import cut_in_the_middle, film
from .watching import tab_to

DESK, PHONE = (1280, 800), (390, 844)
SHORT = """
from gramarye.studio import film_demo
film_demo.COUNT = 16
"""  # the demonstration in a few seconds
ASKED = {"clip": "demo", "painting": "demo-cubist", "size": 256}


@pytest.fixture(scope="module")
def theatre(browser: object, static: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[browsing.Studio]:
    """A server of these tests' own, whose demonstration is short; it may be killed."""
    running = browsing.Studio(tmp_path_factory.mktemp("theatre") / "home", static=static, prelude=SHORT)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def painted(theatre: browsing.Studio) -> str:
    """The demonstration, painted."""
    return await_film(theatre, theatre.ask("/api/films", ASKED)["id"], "finished")["id"]


def await_film(studio: browsing.Studio, made: str, *states: str, index: int = 0) -> Any:
    """The film, once it is in one of these states and has so many frames."""
    deadline = time.monotonic() + browsing.SECONDS
    while True:
        found = studio.ask(f"/api/films/{made}")
        if found["state"] in states and found["index"] >= index:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def frame(page: Page, index: int) -> None:
    """Wait until a painted frame is shown, here and on the scrubber."""
    expect(page.locator("output[data-frame]")).to_have_attribute("data-frame", str(index))
    expect(page.locator(f'.stage img[src$="/painted/{index}.webp"]')).to_be_visible()


def course(page: Page, state: str) -> Locator:
    """What tells how far it is, once it is in a state."""
    found = page.locator(f"aside[data-state={state}]")
    expect(found).to_be_visible()
    return found


def sideways(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


# ---- the main path -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [DESK, PHONE], ids=lambda size: str(size[0]))
def test_the_demonstration_is_painted_scrubbed_compared_played_and_saved(
    size: tuple[int, int],
    theatre: browsing.Studio,
    open_page: Callable[..., Page],
    visit: Callable[..., Page],
    axe: Callable[..., None],
    tmp_path: Path,
) -> None:
    page = open_page(*size, server=theatre, accept_downloads=True)
    visit(page, "films", server=theatre)
    axe(page)
    assert sideways(page) == 0
    page.get_by_label("Long side").select_option("256")
    page.get_by_role("button", name="Paint the film").click()
    course(page, "running")
    expect(page.locator(".stage img").first).to_be_visible()  # it is scrubbed while it is painted
    page.keyboard.press("Home")
    frame(page, 0)
    course(page, "finished")
    expect(page.get_by_role("status").filter(has_text="Finished")).to_have_count(1)  # said to whoever cannot see it
    page.get_by_role("slider", name="Frame shown").fill("7")
    frame(page, 7)
    page.get_by_role("slider", name="Before and after").fill("50")
    expect(page.locator('.before img[src$="/filmed/7.webp"]')).to_be_visible()
    for picture in ("Where everything moved", "not seen before"):
        expect(page.get_by_role("img", name=picture)).to_be_visible()
    table = page.get_by_role("table", name=re.compile("Flicker"))
    expect(table.get_by_role("columnheader")).to_have_text(["frame", "the painted film", "the film itself"])
    expect(table.get_by_role("row")).to_have_count(17)
    axe(page)
    assert sideways(page) == 0
    assert_plays(page)
    with page.expect_download() as saving:
        page.get_by_role("link", name="Save the film").click()
    assert re.fullmatch(r"gliding-over-a-portrait-in-the-manner-of-guitar.*\.mp4", saving.value.suggested_filename)
    saving.value.save_as(tmp_path / "saved.mp4")
    assert opened(tmp_path / "saved.mp4").frames == 16


def assert_plays(page: Page) -> None:
    """The film is decoded, and its time goes on."""
    video = page.locator("video")
    video.evaluate("each => { each.muted = true; return each.play(); }")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.2")
    assert video.evaluate("each => each.error") is None
    assert video.evaluate("each => [each.videoWidth, each.videoHeight]") == [256, 192]
    assert video.evaluate("each => each.duration") == pytest.approx(16 / 24, abs=0.05)


def test_by_keyboard_alone(
    theatre: browsing.Studio, painted: str, open_page: Callable[..., Page], visit: Callable[..., Page]
) -> None:
    page = visit(open_page(*DESK, server=theatre), "films", server=theatre)
    tab_to(page, page.get_by_label("Long side"))
    page.keyboard.press("Home")
    tab_to(page, page.get_by_role("button", name="Paint the film"))
    page.keyboard.press("Enter")
    expect(page.locator("aside[data-state]")).to_have_attribute("data-state", re.compile("running|waiting"))
    tab_to(page, page.get_by_role("button", name="Stop"))
    page.keyboard.press("Enter")
    course(page, "stopped")
    visit(page, "films", server=theatre, film=painted)
    for key, index in (("Home", 0), (".", 1), (".", 2), (",", 1), ("End", 15)):
        page.keyboard.press(key)
        frame(page, index)
    page.keyboard.press(" ")  # from the beginning, as this is the end
    expect(page.get_by_role("button", name="Pause the frames")).to_be_visible()
    frame(page, 15)
    expect(page.get_by_role("button", name="Play the frames")).to_be_visible()
    tab_to(page, page.get_by_role("slider", name="Before and after"))
    page.keyboard.press("ArrowRight")
    expect(page.locator('.before img[src$="/filmed/15.webp"]')).to_be_visible()
    tab_to(page, page.get_by_role("slider", name="Frame shown"))
    page.keyboard.press("ArrowLeft")
    frame(page, 14)
    tab_to(page, page.get_by_role("link", name="Save the film"))


# ---- of one's own --------------------------------------------------------------------------------------------------


def test_a_film_of_ones_own_with_a_cut(
    theatre: browsing.Studio, open_page: Callable[..., Page], visit: Callable[..., Page], tmp_path: Path
) -> None:
    path = film(tmp_path / "evening walk.mp4", draw=cut_in_the_middle, sound="aac")
    page = visit(open_page(*DESK, server=theatre), "films", server=theatre)
    page.locator("main input[type=file]").first.set_input_files(path)
    expect(page.get_by_label("Which film").locator("option:checked")).to_have_text("evening walk")
    expect(page.get_by_text(re.compile("96 × 72, 6 frames.*with sound"))).to_be_visible()
    page.get_by_role("button", name="Paint the film").click()
    course(page, "finished")
    page.get_by_role("button", name="Another shot begins at frame 3").click()
    frame(page, 3)
    expect(page.get_by_text("Nothing is before this frame")).to_be_visible()
    expect(page.get_by_label("The painted film, with its sound")).to_be_visible()
    page.get_by_role("button", name="Delete this film").click()
    expect(page.get_by_role("heading", name="All painted films")).to_be_visible()
    page.get_by_label("Which film").select_option("evening walk")
    page.get_by_role("button", name="Delete this film").click()
    expect(page.get_by_label("Which film").locator("option")).to_have_count(1)


def test_what_is_no_film_is_told_where_it_was_brought(
    theatre: browsing.Studio, open_page: Callable[..., Page], visit: Callable[..., Page], tmp_path: Path, watch: Any
) -> None:
    watch.allow("status of 400")
    (tmp_path / "no film.mp4").write_bytes(b"this is not a film")
    page = visit(open_page(*PHONE, server=theatre), "films", server=theatre)
    page.locator("main input[type=file]").first.set_input_files(tmp_path / "no film.mp4")
    expect(page.get_by_role("alert").filter(has_text="A film must be MP4")).to_be_visible()


def test_an_unknown_film_says_so(
    theatre: browsing.Studio, open_page: Callable[..., Page], visit: Callable[..., Page], watch: Any
) -> None:
    watch.allow("status of 404")
    page = visit(open_page(*DESK, server=theatre), "films", server=theatre, film="0123456789abcdef")
    expect(page.get_by_role("alert").filter(has_text="There must be a film")).to_be_visible()
    page.get_by_role("button", name="All films").click()
    expect(page.get_by_role("button", name="Paint the film")).to_be_visible()


# ---- what a film survives ------------------------------------------------------------------------------------------


def test_a_killed_server_comes_back_and_goes_on(
    theatre: browsing.Studio,
    painted: str,
    open_page: Callable[..., Page],
    visit: Callable[..., Page],
    watch: Any,
) -> None:
    watch.allow("net::ERR_|401")
    page = visit(open_page(*DESK, server=theatre), "films", server=theatre)
    page.get_by_label("Long side").select_option("256")
    page.get_by_role("button", name="Paint the film").click()
    course(page, "running")
    made = re.search(r"film=([0-9a-f]{16})", page.url)
    assert made is not None
    page.context.close()  # it goes on without its tab
    await_film(theatre, made[1], "running", index=3)
    theatre.end(signal.SIGKILL)
    theatre.begin()
    page = visit(open_page(*DESK, server=theatre), "films", server=theatre, film=painted)
    course(page, "finished")
    frame(page, 15)
    visit(page, "films", server=theatre, film=made[1])
    course(page, "interrupted").get_by_role("button", name="Go on").click()
    course(page, "finished")
    frame(page, 15)


def test_without_the_extra_the_screen_says_what_to_install(
    static: str,
    tmp_path: Path,
    open_page: Callable[..., Page],
    visit: Callable[..., Page],
    axe: Callable[..., None],
) -> None:
    prelude = "from gramarye.studio import film_clips; film_clips.find_spec = lambda name: None"
    bare = browsing.Studio(tmp_path / "bare" / "home", static=static, prelude=prelude)
    try:
        page = visit(open_page(*DESK, server=bare), "films", server=bare)
        expect(page.get_by_role("alert").filter(has_text='pip install "gramarye[video]"')).to_be_visible()
        axe(page)
        page.context.close()
    finally:
        bare.end()
