"""What the tests of the screen Paint do with its page."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect


def shown(page: Page) -> int:
    """The step of the frame on the page, by the address of its picture."""
    src = page.locator(".stage img").last.get_attribute("src") or ""
    found = re.search(r"/frames/(\d+)\.webp", src)
    return int(found[1]) if found else -1


def expect_frame(page: Page, index: int) -> None:
    """Wait until the picture is that of a step."""
    expect(page.locator(f'.stage img[src$="/frames/{index}.webp"]').last).to_be_visible()


def course(page: Page, state: str) -> Locator:
    """What tells how far it is, once it is in a state."""
    found = page.locator(f"section[data-state={state}]")
    expect(found).to_be_visible()
    return found


def opened(page: Page, title: str) -> Locator:
    """A disclosed section, opened."""
    section = page.locator("details", has=page.locator("summary", has_text=title))
    section.locator("summary").click()
    return section


def slide(page: Page, name: str, key: str, times: int = 1) -> None:
    """Move a slider by the keyboard."""
    slider = page.get_by_role("slider", name=name, exact=True)
    slider.focus()
    for _ in range(times):
        slider.press(key)


def indices(studio_server: Any, run: str) -> list[int]:
    """The steps whose frames are kept."""
    return [frame["index"] for frame in studio_server.ask(f"/api/runs/{run}")["frames"]]
