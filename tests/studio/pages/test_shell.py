"""The studio's pages as a whole: every screen, seen, by keyboard, by the rules of axe-core; and what a run survives."""

from __future__ import annotations

import json
import re
import shutil
import signal
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

import browsing

from .watching import PreparedStudio, Watch, tab_to

SCREENS = ("start", "paint", "live", "xray", "lab", "tour", "studies", "films")
DRAWN = ("xray", "lab")  # those on which maps come a moment later
SIZES = ((1280, 800), (390, 844))
LINKS = ("Start", "Paint", "Live", "X-ray", "Style lab", "Tour", "Studies", "Films")
LONG = 5000  # steps, the most that there may be: longer than any test


def course(page: Page) -> Locator:
    """Where the painting under way is told, with its state and step."""
    return page.locator("main[data-screen=paint] section[data-state]")


@pytest.fixture(scope="module")
def fresh(
    static: str, studio_server: PreparedStudio, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[browsing.Studio]:
    """A server of these tests' own, in which the same painting is finished; it may be stopped and killed."""
    home = tmp_path_factory.mktemp("fresh") / "home"
    shutil.copytree(studio_server.home, home, ignore=shutil.ignore_patterns("server"))
    running = browsing.Studio(home, static=static)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGKILL)


@pytest.fixture
def run(fresh: browsing.Studio) -> Iterator[str]:
    """A painting under way in that server, for longer than any test; it is stopped at the end."""
    begun = fresh.paint(steps=LONG)
    yield begun
    if fresh.ask(f"/api/runs/{begun}")["state"] in {"running", "paused", "waiting"}:
        fresh.ask(f"/api/runs/{begun}/control", {"action": "stop"})
        fresh.await_run(begun, lambda found: found["state"] == "stopped")


# ---- every screen ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_opens_at_both_widths_for_everybody(
    screen: str,
    size: tuple[int, int],
    open_page: Callable[..., Page],
    visit: Callable[..., Page],
    axe: Callable[..., None],
) -> None:
    page = open_page(*size, color_scheme="light")
    visit(page, screen)
    if screen in DRAWN:
        expect(page.locator("main canvas").first).to_be_visible()
    expect(page.locator("h1")).to_have_count(1)
    assert page.title().endswith("Gramarye")
    axe(page)
    assert sideways(page) == 0
    page.emulate_media(color_scheme="dark")
    axe(page, ["color-contrast"])


def sideways(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize("screen", ["start", "paint", "tour"])
def test_wide_windows_are_no_wider_than_they_are(
    screen: str, open_page: Callable[..., Page], visit: Callable[..., Page]
) -> None:
    for width in (768, 2560):
        assert sideways(visit(open_page(width, 1000), screen)) == 0


WALL = "getComputedStyle(document.documentElement).backgroundColor"


def test_the_theme_can_be_chosen_and_is_kept(page: Page, visit: Callable[..., Page]) -> None:
    visit(page)
    before = page.evaluate(WALL)
    page.get_by_role("button", name=re.compile("Theme")).click()
    page.wait_for_function(f"before => {WALL} !== before", arg=before)
    chosen = page.evaluate(WALL)
    visit(page)
    assert page.evaluate(WALL) == chosen


def test_screens_are_links_and_the_browser_goes_back(page: Page, visit: Callable[..., Page]) -> None:
    visit(page)
    for name, screen in zip(LINKS, SCREENS, strict=True):
        page.get_by_role("navigation", name="Screens").get_by_role("link", name=name, exact=True).click()
        expect(page.locator(f"main[data-screen={screen}][data-ready=true]")).to_be_visible()
        expect(page.get_by_role("link", name=name, exact=True).first).to_have_attribute("aria-current", "page")
    page.go_back()
    expect(page.locator(f"main[data-screen={SCREENS[-2]}]")).to_be_visible()


# ---- who may come in -------------------------------------------------------------------------------------


def test_without_the_token_the_page_asks_for_it(
    open_page: Callable[..., Page], studio_server: browsing.Studio, watch: Watch, axe: Callable[..., None]
) -> None:
    watch.allow("401")
    page = open_page(390, 844)
    page.context.clear_cookies()
    page.goto(studio_server.url())
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    axe(page)
    dialog.get_by_role("textbox").fill("a wrong one")
    dialog.get_by_role("button", name="Open").click()
    expect(dialog.get_by_text("must be that of this start")).to_be_visible()
    dialog.get_by_role("textbox").fill(studio_server.token)
    dialog.get_by_role("button", name="Open").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("main[data-screen=start][data-ready=true]")).to_be_visible()


def test_the_printed_address_lets_in_and_leaves_no_token_behind(
    open_page: Callable[..., Page], studio_server: browsing.Studio
) -> None:
    page = open_page(1280, 800)
    page.context.clear_cookies()
    page.goto(studio_server.address)
    expect(page.locator("main[data-screen=start][data-ready=true]")).to_be_visible()
    assert studio_server.token not in page.url
    assert page.evaluate("document.cookie") == ""


# ---- by keyboard -----------------------------------------------------------------------------------------


def made_small(route: Route) -> None:
    """Send what the page asks to be painted on to the server, at a size that takes no time."""
    if route.request.method != "POST":
        route.continue_()
        return
    asked = {**(route.request.post_data_json or {}), "settings": {"size": 96, "steps": 12}}
    route.continue_(post_data=json.dumps(asked))


def test_a_painting_from_start_to_end_by_keyboard_alone(page: Page, visit: Callable[..., Page]) -> None:
    page.route("**/api/runs", made_small)
    visit(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, page.locator("[name=wall-painting]:checked"))
    page.keyboard.press("ArrowRight")
    expect(page.locator("[name=wall-painting]:checked")).to_be_focused()
    tab_to(page, page.locator("[name=preset]:checked"))
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")  # round to the end, and back to the first
    page.keyboard.press("ArrowRight")
    tab_to(page, page.get_by_role("button", name="Paint", exact=True))
    page.keyboard.press("Enter")
    expect(course(page)).to_have_attribute("data-state", re.compile("running|finished"))
    expect(course(page)).to_have_attribute("data-state", "finished", timeout=60_000)
    tab_to(page, page.get_by_role("slider", name="Step shown"))
    last = page.locator("output[data-frame]")
    shown = last.get_attribute("data-frame")
    page.keyboard.press("ArrowLeft")
    expect(last).not_to_have_attribute("data-frame", shown or "")
    page.keyboard.press("End")
    expect(last).to_have_attribute("data-frame", shown or "")
    tab_to(page, page.get_by_role("link", name="Save the picture"))


def test_a_question_mark_lists_the_keys_and_escape_closes_them(
    page: Page, visit: Callable[..., Page], axe: Callable[..., None]
) -> None:
    visit(page, "paint")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    axe(page)
    for key in ("?", ",", "."):
        expect(dialog.locator("kbd", has_text=re.compile(f"^{re.escape(key)}$"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


# ---- what a run survives ---------------------------------------------------------------------------------


def test_a_run_goes_on_while_its_tab_is_closed(
    fresh: browsing.Studio, run: str, open_page: Callable[..., Page], visit: Callable[..., Page]
) -> None:
    page = visit(open_page(1280, 800, server=fresh), "paint", server=fresh, run=run)
    expect(course(page)).to_have_attribute("data-state", "running")
    seen = int(course(page).get_attribute("data-index") or 0)
    page.context.close()
    fresh.await_run(run, lambda found: found["index"] >= seen + 3)
    page = visit(open_page(1280, 800, server=fresh), "paint", server=fresh)  # what is painted is what is shown
    expect(course(page)).to_have_attribute("data-state", "running")
    assert int(course(page).get_attribute("data-index") or 0) >= seen + 3
    course(page).get_by_role("button", name="Stop").click()
    expect(course(page)).to_have_attribute("data-state", "stopped")
    expect(page.get_by_role("link", name="Save the picture")).to_be_visible()


def test_a_killed_server_comes_back_with_its_runs_and_offers_to_resume(
    fresh: browsing.Studio,
    run: str,
    studio_server: PreparedStudio,
    open_page: Callable[..., Page],
    visit: Callable[..., Page],
    watch: Watch,
) -> None:
    watch.allow("net::ERR_|401")
    page = visit(open_page(1280, 800, server=fresh), "paint", server=fresh, run=run)
    fresh.await_run(run, lambda found: found["index"] >= 4)
    fresh.end(signal.SIGKILL)
    expect(page.get_by_text("does not answer")).to_be_visible()
    expect(page.locator("output[data-frame]")).to_be_visible()  # what was there stays to be looked at
    fresh.begin()
    page.context.add_cookies([fresh.cookie])
    visit(page, "paint", server=fresh, run=studio_server.run)
    expect(course(page)).to_have_attribute("data-state", "finished")
    visit(page, "paint", server=fresh, run=run)
    expect(course(page)).to_have_attribute("data-state", "interrupted")
    course(page).get_by_role("button", name="Take it up again").click()
    expect(course(page)).to_have_attribute("data-state", "running")
    fresh.await_run(run, lambda found: found["index"] >= 6)
    course(page).get_by_role("button", name="Stop").click()
    expect(course(page)).to_have_attribute("data-state", "stopped")


def test_two_windows_see_the_same(
    fresh: browsing.Studio, run: str, open_page: Callable[..., Page], visit: Callable[..., Page]
) -> None:
    one, other = (visit(open_page(1280, 800, server=fresh), "paint", server=fresh, run=run) for _ in range(2))
    course(one).get_by_role("button", name="Pause").click()
    for page in (one, other):
        expect(course(page)).to_have_attribute("data-state", "paused")
    course(other).get_by_role("button", name="Stop").click()
    for page in (one, other):
        expect(course(page)).to_have_attribute("data-state", "stopped")
    assert course(one).get_attribute("data-index") == course(other).get_attribute("data-index")


def test_before_the_network_is_loaded_the_page_can_be_used(
    fresh: browsing.Studio, open_page: Callable[..., Page], visit: Callable[..., Page]
) -> None:
    fresh.end()
    fresh.begin()
    page = visit(open_page(1280, 800, server=fresh), server=fresh)
    expect(page.get_by_role("button", name="Paint", exact=True)).to_be_enabled()
    expect(page.locator("[name=wall-painting]")).not_to_have_count(0)


# A browser hides all tabs of a window but one; a browser without a window hides none.
HIDING = """
let hidden = false;
Object.defineProperty(document, 'hidden', { get: () => hidden });
window.turnTo = (shown) => {
  hidden = !shown;
  document.dispatchEvent(new Event('visibilitychange'));
};
"""


def test_eight_tabs_of_one_window(
    fresh: browsing.Studio, run: str, open_page: Callable[..., Page], visit: Callable[..., Page]
) -> None:
    tabs = [open_page(1280, 800, server=fresh)]
    tabs[0].context.add_init_script(HIDING)
    visit(tabs[0], "paint", server=fresh, run=run)
    for _ in range(7):  # a browser makes six connections at most: each hidden tab must let go of its own
        tabs[-1].evaluate("turnTo(false)")
        tabs.append(visit(tabs[0].context.new_page(), "paint", server=fresh, run=run))
    course(tabs[-1]).get_by_role("button", name="Stop").click()
    expect(course(tabs[-1])).to_have_attribute("data-state", "stopped")
    for tab in tabs:
        tab.evaluate("turnTo(true)")
        expect(course(tab)).to_have_attribute("data-state", "stopped")
        tab.evaluate("turnTo(false)")
