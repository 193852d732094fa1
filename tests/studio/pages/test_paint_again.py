"""The screen Paint: branches, colours, masks, the command line, and away with a painting."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from typing import Any

from PIL import Image
from playwright.sync_api import Page, expect

from .paint_page import course, indices, opened, slide


def test_painting_on_from_a_step_makes_a_branch_to_compare(
    studio_server: Any, page: Page, visit: Callable[..., Page]
) -> None:
    first = studio_server.run
    index = indices(studio_server, first)[2]
    visit(page, "paint", run=first, frame=index)
    slide(page, "Strength", "ArrowLeft", 8)
    page.get_by_role("button", name="Paint on from here with these").click()
    page.wait_for_function("first => !location.hash.includes(first)", arg=first)
    branch = re.search(r"run=([^&]+)", page.url)[1]  # type: ignore[index]
    run = studio_server.await_run(branch)
    assert run["parent"] == {"run": first, "index": index}
    assert run["settings"]["strength"] < 1
    course(page, "finished")
    branches = opened(page, "Branches")
    expect(branches.get_by_role("listitem").filter(has_text=f"from step {index}")).to_be_visible()
    branches.get_by_label("Compare with").select_option(first)
    both = branches.locator(f"[data-other='{first}']")
    expect(both.locator("img")).to_have_count(2)
    expect(both.get_by_role("slider", name="Before and after")).to_be_visible()
    expect(both.locator("table caption")).to_have_text("Total loss of both")


def test_colours_and_a_mask_begin_another_painting(studio_server: Any, page: Page, visit: Callable[..., Page]) -> None:
    visit(page, "paint", run=studio_server.run)
    opened(page, "Colours").get_by_text("The photograph’s, strictly").click()
    mask = opened(page, "Mask")
    canvas = mask.locator(".canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.4 * box["height"], steps=4)
    page.mouse.up()
    kept = mask.locator("[data-kept]")
    expect(kept).not_to_have_attribute("data-kept", "0.000")
    mask.get_by_role("button", name="Undo").click()
    expect(kept).to_have_attribute("data-kept", "0.000")
    mask.get_by_label("left side").fill("50")
    mask.get_by_label("right side").fill("100")
    mask.get_by_label("top side").fill("0")
    mask.get_by_label("bottom side").fill("100")
    mask.get_by_role("button", name="Keep it").press("Enter")
    expect(kept).to_have_attribute("data-kept", "0.500")
    with page.expect_request("**/api/runs") as asked:
        mask.get_by_role("button", name="Paint again with these colours and this mask").click()
    sent = json.loads(asked.value.post_data or "")
    assert sent["settings"]["color"] == "luminance"
    _expect_half(base64.b64decode(sent["mask"].removeprefix("data:image/png;base64,")))
    page.wait_for_function("first => !location.hash.includes(first)", arg=studio_server.run)
    made = studio_server.await_run(re.search(r"run=([^&]+)", page.url)[1])  # type: ignore[index]
    assert made["mask"] is True
    assert made["settings"]["color"] == "luminance"


def _expect_half(png: bytes) -> None:
    """The left half white, the right one black."""
    picture = Image.open(io.BytesIO(png)).convert("L")
    assert picture.crop((0, 0, picture.width // 2 - 1, picture.height)).getextrema() == (255, 255)
    assert picture.crop((picture.width // 2 + 1, 0, picture.width, picture.height)).getextrema() == (0, 0)


def test_the_command_line_is_shown_and_copied(
    studio_server: Any, open_page: Callable[..., Page], visit: Callable[..., Page]
) -> None:
    page = open_page(1280, 800, permissions=["clipboard-read", "clipboard-write"])
    visit(page, "paint", run=studio_server.run)
    section = opened(page, "Command line")
    command = studio_server.ask(f"/api/runs/{studio_server.run}")["command"]
    assert command.startswith("gramarye transfer")
    expect(section.locator("[data-command]")).to_have_text(command)
    section.get_by_role("button", name="Copy").click()
    expect(section.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("() => navigator.clipboard.readText()") == command


def test_a_painting_is_deleted(studio_server: Any, page: Page, visit: Callable[..., Page]) -> None:
    run = studio_server.paint(steps=1)
    studio_server.await_run(run)
    visit(page, "paint", run=run)
    opened(page, "Delete this painting").get_by_role("button", name="Delete it for good").click()
    page.wait_for_function("run => !location.hash.includes(run)", arg=run)
    expect(page.locator("main[data-screen=paint] h1")).to_be_visible()
    assert run not in [each["id"] for each in studio_server.ask("/api/runs")]
