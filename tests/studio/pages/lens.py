"""What the tests of the X-ray and of the style lab share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from playwright.sync_api import Locator, Page, expect

SIZES = ((1280, 800), (390, 844))
PICTURES = ("photograph", "painting", "result")
WORKED_OUT = 120_000  # milliseconds: for what the network does in many steps, on a busy machine
QUIET = 0.5  # seconds without a question, after which none is under way
Visit = Callable[..., Page]

PIXELS = """canvas => {
    const {width, height} = canvas;
    const copy = new OffscreenCanvas(width, height).getContext('2d', {willReadFrequently: true});
    copy.drawImage(canvas, 0, 0);
    return [...copy.getImageData(0, 0, width, height).data];
}"""


@contextmanager
def no_questions(page: Page, about: str = "") -> Iterator[None]:
    """Nothing `about` this is asked of the server meanwhile; what is still being loaded is waited for before."""
    asked: list[str] = []
    note = lambda request: asked.append(request.url)  # noqa: E731
    page.on("request", note)
    since, before = monotonic(), 0
    while monotonic() - since < QUIET:
        page.wait_for_timeout(100)
        if len(asked) > before or page.locator("progress").count():
            since, before = monotonic(), len(asked)
    asked.clear()
    yield
    page.wait_for_timeout(100)
    page.remove_listener("request", note)
    assert [each for each in asked if about in each] == []


def part(page: Page, title: str | re.Pattern[str]) -> Locator:
    """The card with this heading."""
    return page.locator("section", has=page.get_by_role("heading", name=title)).last


def come_to(page: Page, title: str | re.Pattern[str]) -> Locator:
    """Scroll to the card with this heading until it has begun: what grows above it may push it away again."""
    card = part(page, title)
    begun = card.locator("progress, .film, .says").first
    until = monotonic() + WORKED_OUT / 1000
    while not begun.is_visible() and monotonic() < until:
        card.scroll_into_view_if_needed()
        page.wait_for_timeout(100)
    expect(begun).to_be_visible()
    return card
