"""The X-ray: layers, linked pictures, channels, and the first moment: content fades with depth."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import Page, Position, expect

from .lens import PICTURES, PIXELS, SIZES, WORKED_OUT, Visit, come_to, no_questions
from .watching import PreparedStudio, Watch

BLOCKS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def box_of(page: Page, which: str) -> dict[str, float]:
    """The receptive field over a picture, in shares of it."""
    shares: dict[str, float] = page.locator(f"[data-field={which}]").evaluate(
        """(field) => {
            const [box, all] = [field, field.parentElement.parentElement].map((each) => each.getBoundingClientRect());
            return {
                left: (box.left - all.left) / all.width,
                top: (box.top - all.top) / all.height,
                width: box.width / all.width,
                height: box.height / all.height,
            };
        }"""
    )
    return shares


def lit(page: Page) -> None:
    """The layer's maps are there."""
    expect(page.get_by_role("table").first).to_be_visible()


def layer_of(studio_server: PreparedStudio, name: str) -> dict[str, int]:
    found: dict[str, int] = next(each for each in studio_server.ask("/api/state")["layers"] if each["name"] == name)
    return found


# ---- the first moment ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
def test_content_fades_with_depth(
    size: tuple[int, int], studio_server: PreparedStudio, open_page: Callable[..., Page], visit: Visit
) -> None:
    page = open_page(*size)
    visit(page, "xray", run=studio_server.run, layer="relu1_1")
    card = come_to(page, "Content fades with depth")
    rebuilt = card.locator("[data-depth]")
    expect(rebuilt).to_have_count(5)
    for at, layer in enumerate(BLOCKS):
        expect(rebuilt.nth(at)).to_have_attribute("data-depth", layer)
        expect(rebuilt.nth(at).get_by_text(re.compile(r"[\d.]+ % off"))).to_be_visible(timeout=WORKED_OUT)
        expect(rebuilt.nth(at).locator("img")).to_be_visible()
    off = [float(re.search(r"([\d.]+) %", each).group(1)) for each in rebuilt.all_inner_texts()]  # type: ignore[union-attr]
    assert off[0] < off[2] < off[4], "what comes back is the further off the deeper the layer"

    depth = card.get_by_role("slider", name="Depth")
    depth.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("layer=relu5_1"))
    expect(card.get_by_role("heading", name="How relu5_1 rebuilds the photograph")).to_be_visible()
    expect(rebuilt.nth(4)).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_layer_rebuilds_the_photograph_as_a_small_film(
    studio_server: PreparedStudio, page: Page, visit: Visit
) -> None:
    visit(page, "xray", run=studio_server.run, layer="relu2_1")
    card = come_to(page, "Content fades with depth")
    expect(card.get_by_text(re.compile("From relu2_1 alone the photograph comes back"))).to_be_visible(
        timeout=WORKED_OUT
    )
    film = card.locator(".film")
    large = film.locator("img").first
    told = film.get_by_role("slider", name="Step")
    last = large.get_attribute("src")
    steps = film.get_by_role("button", name=re.compile("^step"))
    expect(steps).to_have_count(5)
    expect(steps.last).to_have_attribute("aria-pressed", "true")
    end = float(told.get_attribute("aria-valuetext").split("%")[0].split()[-1])
    told.focus()
    page.keyboard.press("Home")
    expect(steps.first).to_have_attribute("aria-pressed", "true")
    expect(told).to_have_attribute("aria-valuetext", re.compile(r"^0: [\d.]+ % of what was asked is missing"))
    expect(large).not_to_have_attribute("src", str(last))
    assert end < 50
    film.get_by_role("button", name="Play").click()
    expect(steps.last).to_have_attribute("aria-pressed", "true")
    expect(film.get_by_role("button", name="Play")).to_be_visible()
    assert film.locator("table tbody tr").count() > 4, "the curve is a table too"


def test_texture_from_one_layer_and_from_all_up_to_it(studio_server: PreparedStudio, page: Page, visit: Visit) -> None:
    visit(page, "xray", run=studio_server.run, layer="relu2_1")
    card = come_to(page, "The style that relu2_1 knows")
    expect(card.get_by_text(re.compile("Gram matrix in relu2_1 came back within"))).to_be_visible(timeout=WORKED_OUT)
    alone = card.locator(".film img").first.get_attribute("src")
    card.get_by_role("button", name="all style layers up to it").click()
    expect(card.get_by_text(re.compile("Gram matrices in relu1_1 and relu2_1 came back within"))).to_be_visible(
        timeout=WORKED_OUT
    )
    expect(card.locator(".film img").first).not_to_have_attribute("src", str(alone))


# ---- the pictures are linked -----------------------------------------------------------------------------


def test_pointing_at_one_picture_shows_the_same_spot_on_all_without_asking(
    studio_server: PreparedStudio, page: Page, visit: Visit
) -> None:
    visit(page, "xray", run=studio_server.run, layer="relu4_1")
    lit(page)
    layer = layer_of(studio_server, "relu4_1")
    photograph = page.locator("[data-picture=photograph]")
    photograph.scroll_into_view_if_needed()
    seen = photograph.bounding_box()
    assert seen is not None
    run = studio_server.ask(f"/api/runs/{studio_server.run}")
    with no_questions(page):
        for x, y in ((0.2, 0.3), (0.7, 0.6)):
            page.mouse.move(seen["x"] + x * seen["width"], seen["y"] + y * seen["height"])
            for which in ("photograph", "result"):
                box = box_of(page, which)
                column = int(x * run["width"] / layer["stride"])
                row = int(y * run["height"] / layer["stride"])
                middle, half = (column + 0.5) * layer["stride"], layer["field"] / 2
                left, right = max(0, middle - half), min(run["width"], middle + half)
                assert box["left"] == pytest.approx(left / run["width"], abs=1e-3)
                assert box["width"] == pytest.approx((right - left) / run["width"], abs=1e-3)
                down = (row + 0.5) * layer["stride"]
                assert box["top"] == pytest.approx(max(0, down - half) / run["height"], abs=1e-3)
            painting = box_of(page, "painting")
            assert painting["left"] <= x <= painting["left"] + painting["width"]
    expect(page.get_by_role("heading", name="At this spot of the photograph")).to_be_visible()
    page.locator("[data-picture=painting]").hover()
    expect(page.get_by_role("heading", name="At this spot of the painting")).to_be_visible()


def test_the_numbers_at_a_spot_are_those_of_the_sprite(studio_server: PreparedStudio, page: Page, visit: Visit) -> None:
    visit(page, "xray", run=studio_server.run, layer="relu3_1")
    lit(page)
    found = studio_server.ask(f"/api/runs/{studio_server.run}/lens/relu3_1/channels.json")
    run, stride = studio_server.ask(f"/api/runs/{studio_server.run}"), layer_of(studio_server, "relu3_1")["stride"]
    columns, rows = run["width"] // stride, run["height"] // stride
    column, row = columns // 3, rows // 4
    page.locator("[data-picture=photograph]").hover(position=at(page, (column + 0.5) / columns, (row + 0.5) / rows))
    shown = found["pictures"]["photograph"]
    answer = page.request.get(studio_server.url(shown["url"].removeprefix("/")))
    sheet = Image.open(io.BytesIO(answer.body())).convert("RGB")
    width, height = shown["cell"]
    values = {}
    for index, channel in enumerate(found["shown"]):
        left, top = index % found["columns"] * width, index // found["columns"] * height
        place = (left + int((column + 0.5) / columns * width), top + int((row + 0.5) / rows * height))
        values[channel] = sheet.getpixel(place)[0] / 255  # type: ignore[index]
    page.locator(".here table[aria-busy=false]").wait_for()  # it follows when the pointer rests
    cells = page.locator(".here tbody tr").first
    strongest = int(cells.get_by_role("button").inner_text())
    assert values[strongest] == pytest.approx(max(values.values()), abs=0.02)
    assert int(cells.locator("td").first.inner_text()) == pytest.approx(100 * values[strongest], abs=2)


def at(page: Page, x: float, y: float) -> Position:
    """A place of the photograph, for Playwright."""
    box = page.locator("[data-picture=photograph]").bounding_box()
    assert box is not None
    return {"x": x * box["width"], "y": y * box["height"]}


def test_arrow_keys_move_the_spot_by_one_unit(studio_server: PreparedStudio, page: Page, visit: Visit) -> None:
    visit(page, "xray", run=studio_server.run, layer="relu3_1")
    lit(page)
    layer = layer_of(studio_server, "relu3_1")
    run = studio_server.ask(f"/api/runs/{studio_server.run}")
    page.locator("[data-picture=result]").focus()
    before = box_of(page, "photograph")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    after = box_of(page, "photograph")
    assert after["left"] - before["left"] == pytest.approx(layer["stride"] / run["width"], abs=1e-3)
    assert after["top"] - before["top"] == pytest.approx(layer["stride"] / run["height"], abs=1e-3)
    expect(page.get_by_role("heading", name="At this spot of the result")).to_be_visible()


def test_a_finger_keeps_the_spot_that_it_touched(studio_server: PreparedStudio, phone: Page, visit: Visit) -> None:
    visit(phone, "xray", run=studio_server.run, layer="relu3_1")
    lit(phone)
    photograph = phone.locator("[data-picture=photograph]")
    photograph.scroll_into_view_if_needed()
    photograph.tap(position={"x": 20, "y": 30})
    touched = box_of(phone, "result")
    assert touched["left"] < 0.3
    phone.locator("h1").tap()
    assert box_of(phone, "result") == pytest.approx(touched, abs=1e-6)  # the page may have moved by parts of a pixel


# ---- layers and channels ---------------------------------------------------------------------------------


def test_brackets_change_the_layer_and_the_address_keeps_it(
    studio_server: PreparedStudio, page: Page, visit: Visit
) -> None:
    visit(page, "xray", run=studio_server.run, layer="relu2_2")
    current = page.locator("nav [aria-current=true]", has_text="_")
    expect(current).to_have_text(re.compile("2_2"))
    page.keyboard.press("]")
    expect(current).to_have_text(re.compile("3_1"))
    expect(page).to_have_url(re.compile("layer=relu3_1"))
    lit(page)
    expect(page.get_by_role("heading", name="Channels of relu3_1")).to_be_visible()
    page.keyboard.press("[")
    expect(page.get_by_role("heading", name="Channels of relu2_2")).to_be_visible()
    with no_questions(page, about="channels"):  # both are known now
        page.keyboard.press("]")
        expect(page.get_by_role("heading", name="Channels of relu3_1")).to_be_visible()
    expect(page).to_have_url(re.compile("layer=relu3_1"))  # it is written a moment later
    page.reload()
    expect(current).to_have_text(re.compile("3_1"))


def test_a_channel_is_pinned_by_keyboard_and_seen_on_all_pictures(
    studio_server: PreparedStudio, page: Page, visit: Visit, axe: Callable[..., None]
) -> None:
    visit(page, "xray", run=studio_server.run, layer="relu3_1")
    found = studio_server.ask(f"/api/runs/{studio_server.run}/lens/relu3_1/channels.json")
    grid = page.get_by_role("group", name="Channels, arrows move between them")
    buttons = grid.get_by_role("button")
    expect(buttons).to_have_count(len(found["shown"]))
    energy = found["pictures"]["photograph"]["energy"]
    order = [found["shown"][index] for index in sorted(range(len(energy)), key=lambda index: -energy[index])]
    buttons.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"channels={order[1]}$"))
    expect(buttons.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text(re.compile(f"^Channel {order[1]} fires"))).to_be_visible()
    for which in PICTURES:
        over = page.locator(f"[data-picture={which}]")
        expect(over.locator("canvas")).to_be_visible()
        x, y = found["peaks"][which][found["shown"].index(order[1])]
        peak = over.locator(".peak")
        assert float(peak.evaluate("element => element.style.left").rstrip("%")) == pytest.approx(100 * x, abs=0.1)
        assert float(peak.evaluate("element => element.style.top").rstrip("%")) == pytest.approx(100 * y, abs=0.1)
    axe(page)
    page.keyboard.press("Escape")
    expect(page.locator("[data-picture=photograph] canvas")).to_have_count(0)


def test_a_pinned_channel_lies_where_it_fires(studio_server: PreparedStudio, page: Page, visit: Visit) -> None:
    found = studio_server.ask(f"/api/runs/{studio_server.run}/lens/relu2_1/channels.json")
    channel = found["shown"][0]
    visit(page, "xray", run=studio_server.run, layer="relu2_1", channels=channel)
    x, y = found["peaks"]["photograph"][0]
    veil = page.locator("[data-picture=photograph] canvas")
    expect(veil).to_be_visible()
    alphas = veil.evaluate(PIXELS)[3::4]
    width, height = veil.evaluate("canvas => [canvas.width, canvas.height]")
    densest = alphas[min(height - 1, int(y * height)) * width + min(width - 1, int(x * width))]
    assert densest > 150 > sum(alphas) / len(alphas)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_whole_screen_is_for_everybody(
    scheme: str,
    studio_server: PreparedStudio,
    open_page: Callable[..., Page],
    visit: Visit,
    axe: Callable[..., None],
) -> None:
    page = open_page(1280, 800, color_scheme=scheme)
    visit(page, "xray", run=studio_server.run, layer="relu2_1")
    lit(page)
    card = come_to(page, "The style that relu2_1 knows")
    expect(card.get_by_text(re.compile("Gram matrix in relu2_1 came back within"))).to_be_visible(timeout=WORKED_OUT)
    axe(page)


def test_what_went_wrong_is_said_where_it_happened_and_can_be_tried_again(
    studio_server: PreparedStudio, page: Page, visit: Visit, watch: Watch
) -> None:
    watch.allow("503")
    broken = "**/lens/relu3_2/channels.json"
    page.route(broken, lambda route: route.fulfill(status=503, json={"error": "The lens rests. Try again"}))
    visit(page, "xray", run=studio_server.run, layer="relu3_2")
    expect(page.get_by_role("alert").get_by_text("The lens rests. Try again")).to_be_visible()
    page.unroute(broken)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Channels of relu3_2")).to_be_visible()
