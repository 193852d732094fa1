"""The screen Paint in a browser, on a server that really paints."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from .paint_page import course, expect_frame, indices, opened, shown, slide

SECTIONS = ("Branches", "Colours", "Mask", "Command line", "Delete")
LONG = {"size": 128, "steps": 5000}  # so long that it is still under way when the test ends it


@pytest.fixture
def under_way(studio_server: Any) -> Iterator[str]:
    """A painting that is being painted; it is stopped at the end."""
    run = studio_server.paint(**LONG)
    studio_server.await_run(run, lambda found: found["state"] == "running" and found["index"] >= 2)
    yield run
    if studio_server.ask(f"/api/runs/{run}")["state"] in {"running", "paused", "waiting"}:
        studio_server.ask(f"/api/runs/{run}/control", {"action": "stop"})
        studio_server.await_run(run, lambda found: found["state"] == "stopped")


# ---- it grows ------------------------------------------------------------------------------------------------------


def test_a_painting_appears_grows_and_is_stopped_by_a_key(
    studio_server: Any, page: Page, visit: Callable[..., Page], under_way: str
) -> None:
    visit(page, "paint", run=under_way)
    page.wait_for_function("() => document.querySelector('.stage img')?.src.includes('/frames/')")
    first = shown(page)
    page.wait_for_function(
        "first => Number(document.querySelector('.stage img').src.match(/frames.(\\d+)/)[1]) > first", arg=first
    )
    page.keyboard.press("s")
    course(page, "stopped")
    found = studio_server.ask(f"/api/runs/{under_way}")
    assert found["state"] == "stopped"
    expect_frame(page, found["index"])  # what was there is kept
    expect(page.get_by_role("status").filter(has_text="Stopped")).to_have_count(1)  # said to whoever cannot see it
    expect(page.get_by_role("link", name="Save the picture")).to_have_attribute(
        "href", f"/api/runs/{under_way}/result.png"
    )


def test_pause_step_and_going_on(studio_server: Any, page: Page, visit: Callable[..., Page], under_way: str) -> None:
    visit(page, "paint", run=under_way)
    page.get_by_role("button", name="Pause", exact=True).click()
    found = course(page, "paused")
    before = studio_server.ask(f"/api/runs/{under_way}")["index"]
    page.get_by_role("button", name="One step").click()
    expect(found).to_have_attribute("data-index", str(before + 1))
    course(page, "paused")
    page.get_by_role("button", name="Go on").click()
    course(page, "running")
    studio_server.await_run(under_way, lambda run: run["index"] > before + 1)
    page.get_by_role("button", name="Stop", exact=True).click()
    course(page, "stopped")


def test_a_slider_changes_the_painting_under_way(
    studio_server: Any, page: Page, visit: Callable[..., Page], under_way: str
) -> None:
    visit(page, "paint", run=under_way)
    with page.expect_request("**/control") as asked:
        slide(page, "Strength", "ArrowRight", 6)
    sent = json.loads(asked.value.post_data or "")
    assert sent["action"] == "change"
    assert sent["settings"]["strength"] > 1
    strength = float(page.get_by_role("slider", name="Strength", exact=True).get_attribute("aria-valuetext") or "")
    wanted = {"strength": strength}
    run = studio_server.await_run(under_way, lambda found: wanted in [each["settings"] for each in found["changes"]])
    mark = page.get_by_role("list", name="Changes while it painted").get_by_role("button").last
    expect(mark).to_have_text(f"Step {run['changes'][-1]['index']}: strength {strength:g}")
    with page.expect_request("**/control") as asked:
        slide(page, "Style by depth, 3", "ArrowUp", 4)
    faders = json.loads(asked.value.post_data or "")["settings"]["style.layer_weights"]
    assert faders[2] > 1
    assert faders[:2] + faders[3:] == [1, 1, 1, 1]
    fader = page.get_by_role("slider", name="Style by depth, 3", exact=True).get_attribute("aria-valuetext")
    level = pytest.approx(float(fader or ""), abs=0.01)  # the last one: what is sent after the end is refused

    def took_it(found: dict[str, Any]) -> bool:
        return found["changes"][-1]["settings"].get("style.layer_weights", [1, 1, 1])[2] == level

    studio_server.await_run(under_way, took_it)


def test_what_is_wrong_is_said_beside_the_slider(
    page: Page, visit: Callable[..., Page], under_way: str, watch: Any
) -> None:
    watch.allow("status of 400")
    rule = "something must be asked of the picture; got weights that are all 0. Raise style.weight"

    def refuse(route: Route) -> None:
        route.fulfill(status=400, json={"error": rule})

    visit(page, "paint", run=under_way)
    page.route("**/control", refuse)
    slide(page, "Strength", "ArrowLeft", 3)
    expect(page.locator("aside [role=alert]", has_text=rule)).to_be_visible()
    expect(page.get_by_role("slider", name="Strength", exact=True)).to_have_attribute("aria-valuetext", "1")


# ---- scrubbing: picture, curves and bars in step -------------------------------------------------------------------


def test_scrubbing_moves_picture_curves_and_bars_together(
    studio_server: Any, page: Page, visit: Callable[..., Page]
) -> None:
    run = studio_server.ask(f"/api/runs/{studio_server.run}")
    frames = [frame["index"] for frame in run["frames"]]
    visit(page, "paint", run=studio_server.run)
    scrubber = page.get_by_role("slider", name="Step shown")
    for key, index in (("Home", frames[0]), ("ArrowRight", frames[1]), ("End", frames[-1]), ("ArrowLeft", frames[-2])):
        scrubber.press(key)
        expect_frame(page, index)
        expect(scrubber).to_have_attribute("aria-valuetext", f"step {index} of {frames[-1]}")
        expect(page.locator("section[aria-label=Losses] [data-index]")).to_have_attribute("data-index", str(index))
        _expect_bars(page, run, index)


def _expect_bars(page: Page, run: dict[str, Any], index: int) -> None:
    """The bars are the shares of the gradients at the newest watched step up to `index`."""
    made = run["steps_made"]
    watched = [row for row, at in enumerate(made["index"]) if at <= index and made["gradients"][row]]
    bars = page.locator("section[aria-labelledby=shares-title]")
    if not watched:
        expect(bars).to_contain_text("The bars come with the first frame")
        return
    gradients = made["gradients"][watched[-1]]
    expect(bars.locator("table")).to_have_attribute("data-index", str(made["index"][watched[-1]]))
    shares = {term["layer"]: part / sum(gradients) for term, part in zip(run["terms"], gradients, strict=True)}
    for layer in ("relu1_1", "relu4_1", "relu4_2"):
        expect(bars.locator(f"tr[data-layer={layer}]")).to_have_attribute("data-share", f"{shares[layer]:.4f}")


def test_keys_walk_the_frames_and_play_the_film(studio_server: Any, page: Page, visit: Callable[..., Page]) -> None:
    frames = indices(studio_server, studio_server.run)
    visit(page, "paint", run=studio_server.run)
    expect_frame(page, frames[-1])
    page.keyboard.press(",")
    expect_frame(page, frames[-2])
    page.keyboard.press(".")
    expect_frame(page, frames[-1])
    page.keyboard.press("Home")
    expect_frame(page, frames[0])
    page.wait_for_url(f"**&frame={frames[0]}")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Pause the film")).to_be_visible()
    expect_frame(page, frames[-1])
    expect(page.get_by_role("button", name="Play the film")).to_be_visible()


def test_spacing_and_a_click_on_the_curves(studio_server: Any, page: Page, visit: Callable[..., Page]) -> None:
    frames = indices(studio_server, studio_server.run)
    visit(page, "paint", run=studio_server.run)
    scrubber = page.get_by_role("slider", name="Step shown")
    scrubber.press("Home")
    scrubber.press("ArrowRight")
    logarithmic = int(scrubber.input_value())
    page.get_by_role("button", name="linear").click()
    expect(scrubber).not_to_have_value(str(logarithmic))
    assert int(scrubber.input_value()) == round(1000 * frames[1] / frames[-1])
    plot = page.locator("section[aria-label=Losses] .box")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 20)
    page.mouse.click(box["x"] + 0.98 * box["width"], box["y"] + 20)
    expect_frame(page, frames[-1])


def test_before_and_after_by_keyboard(studio_server: Any, page: Page, visit: Callable[..., Page]) -> None:
    visit(page, "paint", run=studio_server.run)
    page.keyboard.press("b")
    divider = page.get_by_role("slider", name="Before and after")
    expect(divider).to_be_focused()
    assert _clip(page) == pytest.approx(50)
    page.keyboard.press("ArrowRight")
    assert _clip(page) == pytest.approx(49)
    page.keyboard.press("b")
    expect(divider).to_have_count(0)
    page.get_by_role("button", name="Side by side").click()
    expect(page.locator(".stage img")).to_have_count(2)


def _clip(page: Page) -> float:
    """Per cent of the photograph that are hidden."""
    clip = page.locator(".stage .before").evaluate("element => element.style.clipPath")
    return float(re.findall(r"([\d.]+)%", clip)[0])


# ---- who pulls this pixel ------------------------------------------------------------------------------------------


def test_who_pulls_the_spot_under_the_pointer_and_by_keys(
    studio_server: Any, page: Page, visit: Callable[..., Page]
) -> None:
    run, index = studio_server.run, indices(studio_server, studio_server.run)[-1]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/lens/" in request.url else None)
    visit(page, "paint", run=run)
    picture = page.get_by_role("application")
    box = picture.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.26 * box["width"], box["y"] + 0.52 * box["height"])
    table = page.locator("section[aria-labelledby=pulls-title] table")
    pulls = studio_server.ask(f"/api/runs/{run}/lens/pulls/{index}.json")
    row, column = int(0.52 * pulls["grid"]), int(0.26 * pulls["grid"])
    _expect_pulls(table, pulls, row, column)
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.1 * box["height"])
    _expect_pulls(table, pulls, int(0.1 * pulls["grid"]), int(0.9 * pulls["grid"]))
    expect(page.locator(".stage svg path.content")).to_have_count(2)  # with its rim
    expect(page.locator(".stage svg path.style")).to_have_count(2 * (len(pulls["layers"]) - 1))
    picture.focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowDown"):
        picture.press(key)
    _expect_pulls(table, pulls, int(0.1 * pulls["grid"]) + 1, int(0.9 * pulls["grid"]) - 2)
    expect(page.locator(".stage .said")).to_have_text(re.compile("content|Nothing pulls"))
    assert len(asked) == 1  # pointing itself asks nothing


def _expect_pulls(table: Locator, pulls: dict[str, Any], row: int, column: int) -> None:
    """The figures are those of the cell."""
    sizes = base64.b64decode(pulls["magnitudes"])
    expect(table).to_have_attribute("data-row", str(row))
    expect(table).to_have_attribute("data-column", str(column))
    start = (row * pulls["grid"] + column) * len(pulls["layers"])
    for place, layer in enumerate(pulls["layers"]):
        expected = f"{sizes[start + place] / 255:.3f}"
        expect(table.locator(f"tr[data-layer={layer}]")).to_have_attribute("data-size", expected)


def test_a_painting_that_waits_tells_its_place_and_shows_another_meanwhile(
    studio_server: Any, page: Page, visit: Callable[..., Page], under_way: str
) -> None:
    waiting = studio_server.paint()
    visit(page, "paint", run=waiting)
    expect(course(page, "waiting")).to_contain_text("1 painting comes before this one")
    film = page.locator("aside figure", has_text="Meanwhile")
    expect(film.locator("img")).to_have_attribute("src", re.compile(r"/frames/\d+\.webp"))
    page.get_by_role("button", name="Stop", exact=True).click()
    course(page, "stopped")
    assert studio_server.ask(f"/api/runs/{under_way}")["state"] == "running"


# ---- manners -------------------------------------------------------------------------------------------------------


def test_nothing_stands_in_the_way_of_anybody(
    studio_server: Any, page: Page, visit: Callable[..., Page], axe: Callable[..., None]
) -> None:
    visit(page, "paint", run=studio_server.run)
    for title in SECTIONS:
        opened(page, title)
    axe(page)


def test_in_a_hand_the_picture_comes_first(
    studio_server: Any, phone: Page, visit: Callable[..., Page], axe: Callable[..., None]
) -> None:
    visit(phone, "paint", run=studio_server.run)
    places = [
        phone.locator(where).first.bounding_box()
        for where in (".probe", ".transport", "aside", "section[aria-label=Losses]", "details")
    ]
    tops = [place["y"] for place in places if place]
    assert len(tops) == len(places)
    assert tops == sorted(tops)
    assert all(place["x"] >= 0 and place["x"] + place["width"] <= 390 for place in places if place)
    for title in SECTIONS:
        opened(phone, title)
    assert phone.evaluate("() => document.documentElement.scrollWidth") <= 390
    phone.locator(".probe").tap()
    expect(phone.locator("section[aria-labelledby=pulls-title] table")).to_be_visible()
    axe(phone)


def test_an_unknown_painting_says_so(page: Page, visit: Callable[..., Page], watch: Any) -> None:
    watch.allow("status of 404")
    visit(page, "paint", run="0123456789abcdef")
    expect(page.get_by_role("alert").filter(has_text="run")).to_be_visible()


def test_a_long_word_in_a_title_stays_in_the_page(studio_server: Any, phone: Page, visit: Callable[..., Page]) -> None:
    studio_server.await_run(studio_server.paint(steps=1))
    visit(phone, "paint", run=studio_server.run)
    titles = phone.get_by_role("region", name="All paintings").locator("button .small")
    for title in titles.all():
        title.evaluate("each => { each.firstChild.data = 'x'.repeat(60); }")
    assert titles.count() >= 2
    assert phone.evaluate("() => document.documentElement.scrollWidth") <= 390
