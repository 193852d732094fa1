"""Torch is loaded when the page is up: it takes seconds, in which a page can be read already."""

from __future__ import annotations

import threading

from gramarye.studio.studio import Studio

PATIENCE = 2.0  # seconds in which a page may come
GRACE = 0.4  # seconds for what it asks for then: while torch is loaded other threads hardly get on


def begin(studio: Studio) -> None:
    """Load torch on a thread of its own; `ready` is told when it is in."""
    threading.Thread(target=_load, args=(studio,), name="loading", daemon=True).start()


def _load(studio: Studio) -> None:
    if studio.opened.wait(PATIENCE):
        threading.Event().wait(GRACE)
    load(studio)


def load(studio: Studio) -> None:
    """Load torch now."""
    from gramarye import machine, transfer  # noqa: F401  the painting, and with it all the rest

    machine.keep_memory()
    studio.loaded.set()
    studio.events.publish("ready", {"ready": True})
