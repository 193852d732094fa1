"""What the tests of pages share beside fixtures: a server that has something to show, and a watch over pages."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Locator, Page

import browsing


class PreparedStudio(browsing.Studio):
    """A server with one finished run, `run`."""

    run = ""


class Watch:
    """What must not happen in any page of a test."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.allowed: list[str] = []

    def allow(self, pattern: str) -> None:
        """Let messages pass that have this regular expression in them."""
        self.allowed.append(pattern)

    def over(self, context: BrowserContext) -> None:
        """Watch the pages of a context."""
        context.on(
            "console", lambda told: self._note(f"{told.type}: {told.text} {told.location.get('url', '')}", told.type)
        )
        context.on("weberror", lambda found: self.seen.append(f"script: {found.error.stack or found.error}"))
        context.on("request", lambda request: self._leaves(request.url))

    def _note(self, text: str, kind: str) -> None:
        if kind in {"error", "warning"}:
            self.seen.append(text)

    def _leaves(self, url: str) -> None:
        if not re.match(r"(http://127\.0\.0\.1:\d+/|data:|blob:)", url):
            self.seen.append(f"request to {url}")

    @property
    def wrong(self) -> list[str]:
        """What was seen and not allowed."""
        seen = dict.fromkeys(self.seen)
        return [each for each in seen if not any(re.search(pattern, each) for pattern in self.allowed)]


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until something is focused, which must be seen to be."""
    for _ in range(120):
        if wanted.evaluate("each => each === document.activeElement"):
            assert wanted.evaluate("each => each.matches(':focus-visible')")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {wanted}")


def refuse_camera(page: Page, why: str) -> None:
    """Let the page find no camera; `why` is a DOMException's name, such as "NotAllowedError"."""
    refusing = f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{why}'); }}"
    page.add_init_script(f"if (navigator.mediaDevices) {refusing}")
