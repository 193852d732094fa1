"""Studies in a browser, over a store in which a small study was really run and another one goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

import browsing
import painters
from gramarye import inline
from gramarye.study import running
from gramarye.study.store import Store
from networks import picture

PLAN = """\
question = "What does the weight of the style do?"
[[pairs]]
content = "demo:photograph"
style = "demo:cubist"
[base]
preset = "draft"
size = 48
steps = 2
"network.name" = "vgg19-lite"
[[groups]]
name = "weights"
question = "More style, less content?"
[groups.axes]
"style.weight" = [30, 3, 300]
[[groups]]
name = "sizes"
[groups.axes]
size = [48, 64]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two stores: "tiny" with its plan, finished; "going" with one trial of three done."""
    found = tmp_path_factory.mktemp("studies")
    (found / "tiny.toml").write_text(PLAN)
    running.run(found / "tiny.toml", store=found / "tiny.study", workers=1)
    store = Store.open(found / "going.study")
    store.add("going", painters.trials(3), {"ssim": "higher"})
    finish(store)
    store.database.engine.dispose()
    return found


def finish(store: Store) -> None:
    """One more trial of "going" is done, with a picture that is one."""
    claim = store.claim("going")
    assert claim
    made = inline.encoded(picture(60, 80, claim.trial.number), "PNG")
    assert store.finish(claim, replace(painters.outcome(claim.trial), picture=made))


@pytest.fixture(scope="module")
def served(folder: Path, static: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[browsing.Studio]:
    """A server of those studies."""
    running_server = browsing.Studio(tmp_path_factory.mktemp("with-studies") / "home", static=static, studies=folder)
    yield running_server
    running_server.end()


@pytest.fixture
def tiny(served: browsing.Studio, open_page: Callable[..., Page], visit: Callable[..., Page]) -> Page:
    """The page of the finished study, at the experiment "weights"."""
    page = open_page(1280, 800, server=served)
    visit(page, "studies", server=served)
    page.get_by_role("button", name="tiny", exact=True).click()
    expect(table(page)).to_be_visible()
    return page


def table(page: Page) -> Locator:
    return page.get_by_role("region", name=re.compile("^Table of"))


def column(page: Page, heading: str) -> list[str]:
    """The cells under a heading, from above."""
    headings = table(page).locator("thead th").all_inner_texts()
    place = next(place for place, text in enumerate(headings) if text.startswith(heading))
    rows = table(page).locator("tbody tr")
    return [rows.nth(row).locator("th, td").nth(place).inner_text().strip() for row in range(rows.count())]


def curves(page: Page) -> list[str]:
    """The names of the curves, from the table behind the chart."""
    section = page.get_by_role("region", name="Losses by step")
    return section.locator("thead th").all_inner_texts()[1:]


def trial(picture: Locator) -> str:
    """The number of a picture's trial, from its address."""
    found = re.search(r"/trials/(\d+)\.webp", picture.get_attribute("src") or "")
    assert found
    return found[1]


# ---- one study -----------------------------------------------------------------------------------------------------


def test_a_study_tells_its_question_its_groups_and_what_came_of_it(tiny: Page, axe: Callable[..., None]) -> None:
    expect(tiny.locator("h1")).to_have_text("tiny")
    expect(tiny.get_by_text("What does the weight of the style do?")).to_be_visible()
    expect(tiny.get_by_text("More style, less content?")).to_be_visible()
    found = tiny.get_by_role("region", name="What came of it")
    expect(found.locator("li").first).to_contain_text("one pair of pictures")
    tiny.get_by_text("What must not be compared here").click()
    expect(found).to_contain_text("total loss must not be ranked; style.weight differs")
    assert column(tiny, "style weight") == ["30", "3", "300"]  # the base is the first
    axe(tiny)


def test_the_best_comes_first_and_is_marked(tiny: Page) -> None:
    for score, better in (("ssim", max), ("style-gram", min)):
        table(tiny).get_by_role("button", name=score).click()
        values = [float(text.split(",")[0]) for text in column(tiny, score)]
        assert values == sorted(values, reverse=better is max)
        assert ", the best" in column(tiny, score)[0]
        expect(table(tiny).locator("th[aria-sort]")).to_contain_text(score)
    table(tiny).get_by_role("button", name="style-gram").click()
    assert ", the best" in column(tiny, "style-gram")[-1]  # the other way round


def test_what_may_not_be_compared_is_not_ranked(tiny: Page) -> None:
    tiny.get_by_label("Experiment").select_option("sizes")
    expect(table(tiny).get_by_role("button", name="ssim")).to_be_disabled()
    expect(table(tiny).locator("th", has_text="ssim")).to_contain_text("not ranked")
    assert not any("best" in text for text in column(tiny, "ssim"))
    expect(table(tiny).get_by_role("button", name="colour")).to_be_enabled()


def test_curves_are_those_that_are_ticked_relative_where_losses_differ(tiny: Page) -> None:
    expect(tiny.get_by_text("Total loss, relative to its start").first).to_be_visible()
    expect(tiny.get_by_text("Each curve is drawn relative to its own start")).to_be_visible()
    assert curves(tiny) == ["0: style weight 30", "1: style weight 3", "2: style weight 300"]
    tiny.get_by_label("Draw the curve of painting 1").uncheck()
    expect(tiny.get_by_role("region", name="Losses by step").locator("thead th")).to_have_count(3)
    assert curves(tiny) == ["0: style weight 30", "2: style weight 300"]


def test_the_contact_sheet_is_filtered_and_pictures_are_seen_large(tiny: Page, axe: Callable[..., None]) -> None:
    sheet = tiny.get_by_role("region", name="Pictures")
    expect(sheet.locator("li")).to_have_count(3)
    sheet.get_by_label("style weight").select_option("300")
    expect(sheet.locator("li")).to_have_count(1)
    sheet.get_by_label("style weight").select_option("any")
    sheet.locator("li button").first.click()
    large = tiny.get_by_role("dialog")
    expect(large).to_contain_text("style weight 30")
    expect(large).to_contain_text("1 of 3")
    expect(large.locator("img")).to_have_js_property("complete", True)
    tiny.keyboard.press("ArrowRight")
    expect(large).to_contain_text("2 of 3")
    expect(large.locator("strong")).to_have_text("weights: style weight 3")
    tiny.keyboard.press("ArrowRight")
    tiny.keyboard.press("ArrowRight")  # there is no fourth
    expect(large).to_contain_text("3 of 3")
    axe(tiny)
    tiny.keyboard.press("Escape")
    expect(large).to_have_count(0)


def test_which_is_better_is_answered_by_keys_and_kept(tiny: Page, folder: Path, axe: Callable[..., None]) -> None:
    answers = "**/*.jsonl"
    before = sum(len(path.read_text().splitlines()) for path in folder.glob(answers))
    tiny.get_by_role("button", name="Which is better?").click()
    section = tiny.get_by_role("region", name="Which is better?")
    pictures = section.locator("button img")
    expect(pictures).to_have_count(2)
    left = trial(pictures.first)
    axe(tiny)
    tiny.keyboard.press("ArrowLeft")
    expect(section.locator("ol li")).to_have_count(2)  # two pictures have a strength now
    kept = [json.loads(line) for path in folder.glob(answers) for line in path.read_text().splitlines()]
    assert len(kept) == before + 1
    assert kept[-1]["tie"] is False
    assert trial(section.locator("ol li img").first) == left  # the one that was chosen is the strongest
    section.get_by_role("button", name="Equally good").click()
    expect(section.locator("ol li")).to_have_count(3)


def test_a_study_fits_a_phone(
    served: browsing.Studio, open_page: Callable[..., Page], visit: Callable[..., Page], axe: Callable[..., None]
) -> None:
    phone = open_page(390, 844, server=served, has_touch=True, is_mobile=True)
    visit(phone, "studies", server=served)
    phone.get_by_role("button", name="tiny", exact=True).tap()
    expect(table(phone)).to_be_visible()
    axe(phone)
    for mode in ("Results", "Which is better?"):
        phone.get_by_role("button", name=mode).tap()
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), mode


# ---- the list ------------------------------------------------------------------------------------------------------


def test_a_running_study_is_followed(
    served: browsing.Studio, folder: Path, open_page: Callable[..., Page], visit: Callable[..., Page]
) -> None:
    store = Store.open(folder / "going.study")
    claim = store.claim("going")  # this process works on it
    assert claim
    page = open_page(1280, 800, server=served)
    visit(page, "studies", server=served)
    card = page.locator("li", has=page.get_by_role("button", name="going", exact=True))
    expect(card).to_contain_text("Running now")
    expect(card).to_contain_text("1 of 3")
    card.get_by_role("button").click()
    sheet = page.get_by_role("region", name="Pictures")
    expect(sheet.locator("li")).to_have_count(1)
    store.give_back(claim)
    finish(store)
    expect(sheet.locator("li")).to_have_count(2)
    expect(page.get_by_text("2 of 3 paintings")).to_be_visible()
    store.database.engine.dispose()


def test_without_a_study_it_is_said_how_to_make_one(
    page: Page, visit: Callable[..., Page], studio_server: Any, axe: Callable[..., None]
) -> None:
    visit(page, "studies")
    expect(page.get_by_text("gramarye study run style-weight")).to_be_visible()
    axe(page)


def test_a_server_that_is_gone_is_told_and_asked_again(page: Page, visit: Callable[..., Page], watch: Any) -> None:
    watch.allow("Failed to load resource|ERR_FAILED")
    page.route("**/api/studies", lambda route: route.abort())
    page.route("**/api/events", lambda route: route.abort())  # once it is heard again, the page asks by itself
    visit(page, "studies")
    expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    page.unroute("**/api/studies")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("gramarye study run style-weight")).to_be_visible()
