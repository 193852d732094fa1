"""The tour in a browser: its words move its figures, which are made of a painting that was really painted."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from networks import picture

from .watching import Watch

STEPS = 11
HOSTILE = '<img src=x onerror="document.title=1"> & co'
PATIENCE = 90_000  # milliseconds: figures of the deepest layers are computed when they are first asked for


def figure(page: Page) -> Locator:
    """The figure of the step, once it shows what was asked."""
    found = page.get_by_role("region", name=re.compile("^Figure"))
    expect(found.locator("img, canvas").first).to_be_visible(timeout=PATIENCE)
    expect(found.locator("[aria-busy=true]")).to_have_count(0, timeout=PATIENCE)
    return found


def word(page: Page, words: str) -> Locator:
    """Words of the text that move the figure."""
    return page.locator("article").get_by_role("link", name=words, exact=True)


def terms(page: Page) -> dict[str, list[float]]:
    """The table of the shuffle: content and style term before and after."""
    rows = figure(page).locator("tbody tr")
    found = [row.split("\t") for row in rows.all_inner_texts()]
    return {name.split()[0].lower(): [float(value) for value in values] for name, *values in found}


def roughness(page: Page) -> float:
    """The total variation that the figure tells."""
    return float(figure(page).locator("strong").inner_text())


def expect_no_sideways(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def test_every_step_shows_its_figure_and_is_for_everybody(
    page: Page, visit: Callable[..., Page], studio_server: Any, axe: Callable[..., None]
) -> None:
    visit(page, "tour", run=studio_server.run, step=1)
    titles = set()
    for step in range(1, STEPS + 1):
        expect(page.locator("main nav")).to_contain_text(f"{step} of {STEPS}")
        figure(page)
        expect(page.locator("main [role=alert]").filter(has_text=re.compile(r"\w"))).to_have_count(0)
        titles.add(page.locator("h1").inner_text())
        assert page.locator("article > p").count() >= 4  # the question, two paragraphs or more, and where it goes on
        assert not re.search("<<|>>|undefined", page.locator("article").inner_text())  # every fact of the run is told
        axe(page)
        expect_no_sideways(page)
        page.keyboard.press("n")
    assert len(titles) == STEPS


def test_words_that_do_not_come_are_asked_for_again(
    page: Page, visit: Callable[..., Page], studio_server: Any, watch: Watch
) -> None:
    watch.allow("prose|ERR_FAILED")
    page.route("**/assets/prose-*.json", lambda route: route.abort())
    visit(page, "tour", run=studio_server.run, step=3)
    expect(page.locator("h1")).to_have_text("What comes together")
    expect(page.locator("main [role=alert]").filter(has_text="The studio does not answer")).to_be_visible()
    page.unroute("**/assets/prose-*.json")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("article")).to_contain_text("Think of a painter with a habit")
    expect(page.locator("main [role=alert]").filter(has_text=re.compile(r"\w"))).to_have_count(0)


def test_every_step_fits_a_phone(phone: Page, visit: Callable[..., Page], studio_server: Any) -> None:
    for step in range(1, STEPS + 1):
        visit(phone, "tour", run=studio_server.run, step=step)
        figure(phone)
        expect_no_sideways(phone)
    visit(phone, "tour", run=studio_server.run, step=4)
    shown = figure(phone)
    next_button = phone.get_by_role("button", name="Next →")
    assert _top(phone, "article p >> nth=1") < shown.bounding_box()["y"] < next_button.bounding_box()["y"]  # type: ignore[index]
    word(phone, "shuffle all places").tap()  # far above the figure, which comes into sight
    expect(shown).to_be_in_viewport()


def _top(page: Page, what: str) -> float:
    box = page.locator(what).bounding_box()
    assert box is not None
    return box["y"]


def test_style_has_no_where(page: Page, visit: Callable[..., Page], studio_server: Any) -> None:
    visit(page, "tour", run=studio_server.run, step=4)
    before = terms(page)
    assert before["content"] == [0, 0]
    word(page, "shuffle all places").click()
    after = terms(page)
    assert after["style"][0] == after["style"][1] == before["style"][0]
    assert after["content"][1] > 0.5
    expect(word(page, "Put it back")).to_have_attribute("aria-current", "false")
    word(page, "tiles of 32 pixels").click()
    tiles = terms(page)
    assert tiles["content"][1] > 0.2
    assert tiles["style"][1] != tiles["style"][0]  # the cuts are new edges
    word(page, "Put it back").click()
    assert terms(page) == before


def test_words_move_the_figure_and_the_address(page: Page, visit: Callable[..., Page], studio_server: Any) -> None:
    visit(page, "tour", run=studio_server.run, step=1)
    expect(word(page, "first layer")).to_have_attribute("aria-current", "true")
    word(page, "deepest").click()
    expect(figure(page).get_by_role("button", name="relu5_1")).to_have_attribute("aria-pressed", "true")
    page.wait_for_url(re.compile("layer=relu5_1"))
    onward = page.get_by_role("link", name=re.compile("X-ray →"))
    assert re.search(rf"#/xray\?run={studio_server.run}&layer=relu5_1", onward.get_attribute("href") or "")
    page.reload()
    expect(figure(page).get_by_role("button", name="relu5_1")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="receptive field").click()
    expect(page.get_by_text("The part of the picture that one unit of a layer can see.")).to_be_visible()


def test_keys_turn_the_pages_and_the_last_one_is_remembered(
    page: Page, visit: Callable[..., Page], studio_server: Any
) -> None:
    visit(page, "tour", run=studio_server.run)
    expect(page.locator("h1")).to_have_text("From edges to things")
    page.keyboard.press("n")
    expect(page.locator("h1")).to_have_text("Deep down, without the pixels")
    expect(page.locator("h1")).to_be_focused()
    page.keyboard.press("n")
    page.keyboard.press("p")
    expect(page.locator("h1")).to_have_text("Deep down, without the pixels")
    figure(page)
    for _ in range(20):  # pictures that are still coming move the end of the page down
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.keyboard.press("PageDown")
        if page.locator("h1").inner_text() != "Deep down, without the pixels":
            break
    expect(page.locator("h1")).to_have_text("What comes together")
    visit(page, "tour", run=studio_server.run)
    expect(page.locator("h1")).to_have_text("What comes together")
    page.get_by_role("button", name="Begin again").click()
    expect(page.locator("h1")).to_have_text("From edges to things")


def test_grain_is_rough_and_a_blur_is_smooth(page: Page, visit: Callable[..., Page], studio_server: Any) -> None:
    visit(page, "tour", run=studio_server.run, step=6)
    plain = roughness(page)
    word(page, "a little grain").click()
    assert roughness(page) > 1.5 * plain
    word(page, "Blur it").click()
    assert roughness(page) < 0.7 * plain
    page.get_by_role("slider", name="Blur or grain").press("End")
    assert roughness(page) > 2 * plain


def test_the_frames_and_the_losses_move_together(page: Page, visit: Callable[..., Page], studio_server: Any) -> None:
    run = studio_server.ask(f"/api/runs/{studio_server.run}")
    first, last = run["frames"][0]["index"], run["frames"][-1]["index"]
    visit(page, "tour", run=studio_server.run, step=7)
    picture = figure(page).locator("img").first
    expect(picture).to_have_attribute("src", re.compile(rf"/frames/{last}\.webp"))
    word(page, "a first picture").click()
    expect(picture).to_have_attribute("src", re.compile(rf"/frames/{first}\.webp"))
    page.wait_for_url(re.compile(rf"frame={first}\b"))
    page.get_by_role("slider", name="Step").press("ArrowRight")
    page.wait_for_url(re.compile(rf"frame={run['frames'][1]['index']}\b"))
    expect(figure(page).locator("table").first).to_contain_text("content")


def test_who_pulls_is_told_without_asking_again(page: Page, visit: Callable[..., Page], studio_server: Any) -> None:
    visit(page, "tour", run=studio_server.run, step=9)
    shown = figure(page)
    layers = shown.locator("tbody th").all_inner_texts()
    assert layers[0] == "content"
    assert shown.locator("svg path.style").count() == len(layers) - 1
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    here = shown.locator("tbody").inner_text()
    word(page, "where content pulls hardest").click()
    content = shown.locator("tbody").inner_text()
    place = shown.get_by_role("application")
    place.focus()
    for _ in range(8):
        place.press("ArrowRight")
    moved = shown.locator("tbody").inner_text()
    place.hover(position={"x": 40, "y": 60})
    pointed = shown.locator("tbody").inner_text()
    assert len({here, content, moved, pointed}) >= 3
    assert not asked


def test_a_weight_turns_the_map(page: Page, visit: Callable[..., Page], studio_server: Any) -> None:
    def share() -> float:
        found = re.search(r"Content is stronger on ([\d.]+) %", figure(page).inner_text())
        assert found
        return float(found[1])

    visit(page, "tour", run=studio_server.run, step=10)
    plain = share()
    word(page, "eight times").click()
    expect(figure(page).locator("output").first).to_have_text("× 8")
    assert share() >= plain
    page.get_by_role("slider", name="Style weight").press("Home")  # a tenth: content counts 80 times as much
    assert share() > max(plain, 20)
    word(page, "style four times").click()
    assert share() <= plain


def test_teacher_mode_hides_controls_and_enlarges_words(
    page: Page, visit: Callable[..., Page], studio_server: Any, axe: Callable[..., None]
) -> None:
    visit(page, "tour", run=studio_server.run, step=2)
    size = "parseFloat(getComputedStyle(document.querySelector('article p')).fontSize)"
    plain = page.evaluate(size)
    save = page.get_by_role("button", name="Save this tour")
    expect(save).to_be_visible()
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-teacher", "true")
    expect(save).to_be_hidden()
    expect(page.get_by_role("group", name="Layer")).to_be_hidden()
    assert page.evaluate(size) > 1.2 * plain
    page.wait_for_url(re.compile("teacher=1"))
    expect_no_sideways(page)
    axe(page)
    page.keyboard.press("PageDown")  # as a presenter's remote control sends it
    expect(page.locator("h1")).to_have_text("What comes together")


@pytest.fixture
def hostile(studio_server: Any, tmp_path: Path) -> str:
    """A painting whose photograph has a script in its name."""
    from gramarye import images

    images.save(picture(64, 64, 3), tmp_path / "p.png")
    query = urllib.parse.urlencode({"kind": "photograph", "name": HOSTILE})
    request = urllib.request.Request(studio_server.url(f"api/pictures?{query}"), (tmp_path / "p.png").read_bytes())
    for name, value in {"X-Gramarye-Token": studio_server.token, "Origin": studio_server.origin}.items():
        request.add_header(name, value)
    request.add_header("Content-Type", "image/png")
    with urllib.request.urlopen(request) as answer:
        found = json.loads(answer.read())
    assert "<img" in found["title"]
    body = {"content": found["id"], "styles": ["demo-cubist"], "preset": "draft", "settings": {"size": 64, "steps": 3}}
    run = studio_server.ask("/api/runs", body)["id"]
    studio_server.await_run(run)
    return str(run)


def test_the_tour_is_saved_as_one_file_that_needs_nothing(
    open_page: Callable[..., Page], browser: Browser, visit: Callable[..., Page], hostile: str, tmp_path: Path
) -> None:
    page = open_page(1280, 800, accept_downloads=True)
    visit(page, "tour", run=hostile, step=4)
    figure(page)
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("button", name="Save this tour as one file").click()
    assert download.value.suggested_filename == "gramarye-tour.html"
    download.value.save_as(tmp_path / "tour.html")
    text = (tmp_path / "tour.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "could not be made" not in text
    assert "Think of a painter with a habit" in text
    assert "&lt;&lt;" not in text  # every fact of the run is told
    asked: list[str] = []
    reader = browser.new_context(java_script_enabled=False).new_page()
    reader.on("request", lambda request: asked.append(request.url))
    reader.goto(f"file://{tmp_path / 'tour.html'}")
    assert [url for url in asked if not url.startswith("data:")] == [f"file://{tmp_path / 'tour.html'}"]
    assert "<img src=x" in reader.title()  # as text
    expect(reader.locator("section h2")).to_have_count(STEPS)
    assert reader.locator("section img[src^='data:image/']").count() > 2 * STEPS
    assert reader.locator("img:not([src^='data:'])").count() == 0
    reader.context.close()
