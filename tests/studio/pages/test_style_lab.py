"""The style lab: style has no where (the second moment), and a channel pair is a brush stroke (the fifth)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .lens import PICTURES, PIXELS, SIZES, WORKED_OUT, Visit, come_to, no_questions, part
from .watching import PreparedStudio

LAYER = "relu2_1"


def gram_of(studio_server: PreparedStudio, layer: str = LAYER) -> dict[str, Any]:
    found: dict[str, Any] = studio_server.ask(f"/api/runs/{studio_server.run}/lens/{layer}/gram.json")
    return found


def opened(page: Page, pair: list[int]) -> Locator:
    """The pair that is shown, once its places are there."""
    shown = page.locator(f"[data-pair='{pair[0]}-{pair[1]}']")
    expect(shown.get_by_role("img", name="Place 1 of the painting, enlarged")).to_be_visible()
    return shown


def sent_by(page: Page, act: Callable[[], None]) -> tuple[dict[str, Any], str]:
    """What an order for a painting says, and the run that it makes."""
    with page.expect_response(lambda answer: answer.url.endswith("/api/runs")) as answered:
        act()
    request: dict[str, Any] = json.loads(answered.value.request.post_data or "{}")
    return request, str(answered.value.json()["id"])


# ---- the second moment -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
def test_style_has_no_where(
    size: tuple[int, int], studio_server: PreparedStudio, open_page: Callable[..., Page], visit: Visit
) -> None:
    page = open_page(*size)
    visit(page, "lab", run=studio_server.run, layer=LAYER)
    card = come_to(page, "Style has no where")
    expect(card).to_have_attribute("data-seed", "0")
    page.keyboard.press("x")
    expect(card).to_have_attribute("data-seed", "1")
    numbers = [float(each) for each in card.locator("dd").all_inner_texts()]
    content_before, content_after, style_before, style_after = numbers
    assert content_before == 0
    assert content_after > 0.2
    assert style_after == pytest.approx(style_before, rel=1e-3)
    assert style_before > 0

    maps = card.locator("figure > img")
    before, after = (maps.nth(number).get_attribute("src") for number in (0, 1))
    assert before != after
    heat = card.locator("[aria-roledescription='heat map'] canvas")
    one, other = (heat.nth(number).evaluate(PIXELS) for number in (0, 1))
    assert len(set(one)) > 10, "there is something to see"
    assert max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 1
    expect(card.get_by_text(re.compile(f"Every position of {LAYER} was put somewhere else"))).to_be_visible()
    expect(card.get_by_role("img", name=re.compile("in shuffled tiles of"))).not_to_have_count(0)
    card.get_by_role("button", name=re.compile("Shuffle all positions")).click()
    expect(card).to_have_attribute("data-seed", "2")
    expect(maps.nth(1)).not_to_have_attribute("src", str(after))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# ---- the fifth moment ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
def test_a_channel_pair_is_a_brush_stroke(
    size: tuple[int, int], studio_server: PreparedStudio, open_page: Callable[..., Page], visit: Visit
) -> None:
    gram = gram_of(studio_server)
    page = open_page(*size)
    visit(page, "lab", run=studio_server.run, layer=LAYER)
    shown = opened(page, gram["wanted"])
    i, j = gram["wanted"]
    for which in PICTURES:
        for channel in (i, j):
            expect(shown.get_by_role("img", name=f"Channel {channel} on the {which}")).to_be_visible()
        expect(shown.get_by_role("img", name=f"The {which} where channels {i} and {j} both fire")).to_be_visible()
    found = studio_server.ask(f"/api/runs/{studio_server.run}/lens/{LAYER}/pair/{i}-{j}.json")
    expect(shown.get_by_text(found["says"])).to_be_visible()
    assert shown.locator(".box").count() == len(found["places"]) > 1
    for at, place in enumerate(found["places"]):
        box = shown.locator(".box").nth(at)
        left = float(box.evaluate("element => element.style.left").rstrip("%"))
        assert left == pytest.approx(100 * place["x"], abs=0.1)
        crop = shown.get_by_role("img", name=f"Place {at + 1} of the painting, enlarged")
        assert crop.evaluate("image => image.naturalWidth") > 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_product_is_lit_where_both_fire(studio_server: PreparedStudio, page: Page, visit: Visit) -> None:
    gram = gram_of(studio_server)
    visit(page, "lab", run=studio_server.run, layer=LAYER)
    shown = opened(page, gram["wanted"])
    i, j = gram["wanted"]
    first, second = (
        shown.get_by_role("img", name=f"Channel {channel} on the painting").locator("canvas").evaluate(PIXELS)[3::4]
        for channel in (i, j)
    )
    dark = shown.locator(".picture canvas").nth(1).evaluate(PIXELS)[3::4]
    assert len(first) == len(second) == len(dark)
    product = [a * b for a, b in zip(first, second, strict=True)]
    lit = dark[product.index(max(product))]
    assert lit < 100 < sum(dark) / len(dark)


def test_arrows_move_the_cell_and_enter_opens_it(studio_server: PreparedStudio, page: Page, visit: Visit) -> None:
    gram = gram_of(studio_server)
    visit(page, "lab", run=studio_server.run, layer=LAYER)
    opened(page, gram["wanted"])
    heat = part(page, f"Which channels fire together in {LAYER}").get_by_label(re.compile("^Painting, "))
    heat.focus()
    row, column = (gram["order"].index(channel) for channel in gram["wanted"])
    down = "ArrowDown" if row < gram["bins"] - 1 else "ArrowUp"
    other = row + (1 if down == "ArrowDown" else -1)
    wanted = sorted((gram["order"][other], gram["order"][column]))
    with no_questions(page):
        page.keyboard.press(down)
        expect(page.locator(f"[data-pair='{wanted[0]}-{wanted[1]}']")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"channels={wanted[0]}-{wanted[1]}$"))
    opened(page, wanted)
    page.reload()
    opened(page, wanted)


def test_pointing_at_a_cell_asks_nothing_and_shows_its_pair(
    studio_server: PreparedStudio, page: Page, visit: Visit
) -> None:
    gram = gram_of(studio_server)
    visit(page, "lab", run=studio_server.run, layer=LAYER)
    opened(page, gram["wanted"])
    page.wait_for_load_state()
    heat = part(page, f"Which channels fire together in {LAYER}").get_by_label(re.compile("^Painting, "))
    heat.scroll_into_view_if_needed()
    box = heat.bounding_box()
    assert box is not None
    with no_questions(page):
        for row, column in ((2, 5), (11, 3)):
            page.mouse.move(
                *(
                    box[side] + (place + 0.5) / gram["bins"] * box["width"]
                    for side, place in (("x", column), ("y", row))
                )
            )
            pair = sorted((gram["order"][row], gram["order"][column]))
            shown = page.locator(f"[data-pair='{pair[0]}-{pair[1]}']")
            expect(shown.get_by_role("img", name=f"Channel {pair[0]} on the result")).to_be_visible()
        page.mouse.move(2, 2)
    expect(page.locator(f"[data-pair='{gram['wanted'][0]}-{gram['wanted'][1]}']")).to_be_visible()


def test_the_heat_map_shows_each_picture_and_what_is_missing(
    studio_server: PreparedStudio, page: Page, visit: Visit
) -> None:
    visit(page, "lab", run=studio_server.run, layer=LAYER)
    card = part(page, f"Which channels fire together in {LAYER}")
    canvas = card.locator("[aria-roledescription='heat map'] canvas")
    seen = []
    for name in ("Painting", "Photograph", "Result", "Painting − photograph", "Painting − result"):
        card.get_by_role("button", name=name, exact=True).click()
        expect(card.get_by_label(re.compile(f"^{name}, {LAYER}"))).to_be_visible()
        seen.append(tuple(canvas.evaluate(PIXELS)))
    assert len(set(seen)) == 5
    gram = gram_of(studio_server)
    told = [float(each.rstrip(" %")) / 100 for each in card.locator("dd").all_inner_texts()]
    assert told == pytest.approx([gram["distances"]["photograph"], gram["distances"]["result"]], rel=0.01)


def test_the_strongest_pairs_are_listed_and_open(studio_server: PreparedStudio, page: Page, visit: Visit) -> None:
    gram = gram_of(studio_server)
    visit(page, "lab", run=studio_server.run, layer=LAYER)
    card = part(page, re.compile("strongest pairs of the painting"))
    rows = card.locator("tbody tr")
    expect(rows).to_have_count(len(gram["pairs"]))
    third = gram["pairs"][2]
    share = 100 * third["values"]["painting"] / gram["pairs"][0]["values"]["painting"]
    assert float(rows.nth(2).locator("td").first.inner_text().rstrip(" %")) == pytest.approx(share, rel=0.01)
    rows.nth(2).get_by_role("button").click()
    opened(page, third["channels"])
    parts = part(page, re.compile("in its strongest parts"))
    expect(parts.locator("figure")).to_have_count(len(gram["components"]))
    assert parts.locator("img").first.evaluate("image => image.naturalWidth") > 0


def test_brackets_change_the_layer(studio_server: PreparedStudio, page: Page, visit: Visit) -> None:
    visit(page, "lab", run=studio_server.run, layer=LAYER)
    opened(page, gram_of(studio_server)["wanted"])
    page.keyboard.press("]")
    page.keyboard.press("]")
    expect(page).to_have_url(re.compile("layer=relu3_1"))
    opened(page, gram_of(studio_server, "relu3_1")["wanted"])


# ---- paintings that are ordered here ---------------------------------------------------------------------


def test_a_pair_is_left_out_and_painted_again(studio_server: PreparedStudio, page: Page, visit: Visit) -> None:
    gram = gram_of(studio_server)
    visit(page, "lab", run=studio_server.run, layer=LAYER)
    opened(page, gram["wanted"])
    card = part(page, "Leave it out and paint again")
    request, run = sent_by(page, card.get_by_role("button", name=re.compile("^Paint again without")).click)
    assert request["without"] == [{"layer": LAYER, "channels": gram["wanted"]}]
    old = studio_server.ask(f"/api/runs/{studio_server.run}")
    assert (request["content"], request["styles"]) == (old["content"], old["styles"])
    made = card.locator(f"[data-run='{run}']")
    expect(made).to_have_attribute("data-state", "finished", timeout=WORKED_OUT)
    new = studio_server.ask(f"/api/runs/{run}")
    assert {**new["settings"]} == {**old["settings"]}, "nothing else is changed"
    expect(made.get_by_role("slider", name="Before and after")).to_be_visible()
    expect(card.get_by_text(re.compile("^How much they fire together"))).to_be_visible()
    expect(made.get_by_role("link", name="Open it in Paint")).to_have_attribute("href", re.compile(f"paint.*{run}"))


def test_several_pairs_are_left_out_by_keyboard(studio_server: PreparedStudio, page: Page, visit: Visit) -> None:
    gram = gram_of(studio_server)
    visit(page, "lab", run=studio_server.run, layer=LAYER)
    pairs = [each["channels"] for each in gram["pairs"][:3]]
    for i, j in pairs:
        page.get_by_role("checkbox", name=f"Leave out {i} and {j}", exact=True).press("Space")
    card = part(page, "Leave it out and paint again")
    card.get_by_role("button", name=f"Keep {pairs[1][0]} and {pairs[1][1]} of {LAYER} after all").press("Enter")
    again = card.get_by_role("button", name="Paint again without these 2 pairs")
    request, run = sent_by(page, lambda: again.press("Enter"))
    assert request["without"] == [{"layer": LAYER, "channels": pairs[0]}, {"layer": LAYER, "channels": pairs[2]}]
    studio_server.await_run(run)


def test_two_paintings_are_compared_and_mixed(studio_server: PreparedStudio, page: Page, visit: Visit) -> None:
    visit(page, "lab", run=studio_server.run, layer=LAYER)
    card = part(page, "Two paintings")
    card.scroll_into_view_if_needed()
    one, other = card.get_by_role("combobox").all()
    other.select_option("demo-swirl")
    found = studio_server.ask("/api/distance?one=demo-cubist&other=demo-swirl")
    expect(card.get_by_text(found["says"])).to_be_visible()
    told = [float(each.rstrip(" %")) for each in card.locator("dd").all_inner_texts()]
    assert told == pytest.approx([100 * each["relative"] for each in found["layers"]], rel=0.01)
    one.select_option("demo-swirl")
    expect(card.get_by_role("button", name="Paint this mix")).to_be_disabled()
    one.select_option("demo-cubist")

    mix = card.get_by_role("slider", name="Mix")
    mix.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    request, run = sent_by(page, card.get_by_role("button", name="Paint this mix").click)
    assert request["styles"] == ["demo-cubist", "demo-swirl"]
    assert request["settings"]["style.mix"] == pytest.approx([0.25, 0.75])
    made = card.locator(f"[data-run='{run}']")
    expect(made).to_have_attribute("data-state", "finished", timeout=WORKED_OUT)
    expect(made.get_by_role("img", name=re.compile("^25 % .*, 75 % "))).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_whole_screen_is_for_everybody(
    scheme: str,
    studio_server: PreparedStudio,
    open_page: Callable[..., Page],
    visit: Visit,
    axe: Callable[..., None],
) -> None:
    page = open_page(1280, 800, color_scheme=scheme)
    visit(page, "lab", run=studio_server.run, layer=LAYER)
    opened(page, gram_of(studio_server)["wanted"])
    card = come_to(page, "Style has no where")
    expect(card).to_have_attribute("data-seed", "0")
    axe(page)
