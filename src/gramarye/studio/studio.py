"""All that the studio has: its folder, its token, and who does what."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from gramarye import __version__
from gramarye.studio import safety
from gramarye.studio.events import Events
from gramarye.studio.films import Films
from gramarye.studio.gallery import Gallery
from gramarye.studio.live import Live
from gramarye.studio.questions import Lens
from gramarye.studio.runs import Runs
from gramarye.studio.worker import Worker


@dataclass
class Studio:
    """One studio: everything it keeps lies under `home`; `studies_folder` is only read, None if there is none."""

    home: Path
    token: str
    port: int
    events: Events
    gallery: Gallery
    worker: Worker
    runs: Runs
    studies_folder: Path | None = None
    opened: threading.Event = field(default_factory=threading.Event)  # a page has asked for the state
    loaded: threading.Event = field(default_factory=threading.Event)  # torch is in
    tickets: set[str] = field(default_factory=set)  # each lets one page in, once

    def __post_init__(self) -> None:
        self.lens = Lens(self.home / "runs", self.gallery)
        self.films = Films(self.home, self.gallery, self.events, self.worker)
        self.live = Live(self.gallery)

    @property
    def ready(self) -> bool:
        """Whether torch is loaded and something can be painted."""
        return self.loaded.is_set()

    def ticket(self) -> str:
        """What lets one page in, once: for an address that others on this machine may see, as a program's argument."""
        made = safety.new_token()
        self.tickets.add(made)
        return made

    def lets_in(self, given: str) -> bool:
        """Whether this is the token, or a ticket that was not used before."""
        if safety.same(given, self.token):
            return True
        for ticket in list(self.tickets):
            if safety.same(given, ticket):
                self.tickets.discard(ticket)
                return True
        return False


def make_studio(home: Path, *, token: str, port: int, studies: Path | None = None) -> Studio:
    """A studio that keeps its things in `home`, which is made; nothing is started."""
    home.mkdir(parents=True, exist_ok=True)
    events = Events()
    gallery, worker = Gallery(home), Worker(events)
    studio = Studio(home, token, port, events, gallery, worker, Runs(home, gallery, events, worker), studies)
    events.hello = lambda: {"version": __version__, "ready": studio.ready}
    return studio
