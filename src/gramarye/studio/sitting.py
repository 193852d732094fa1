"""Something at the easel, a run or a film: pulled bit by bit, it looks at people's wishes between two, and is kept."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic

from gramarye.errors import GramaryeError
from gramarye.studio.changes import Wishes
from gramarye.studio.kept import K
from gramarye.studio.worker import Publisher, in_one_line

_log = logging.getLogger(__name__)


class Sitting(ABC, Generic[K]):
    """What is kept, while it is painted. `told` is called with it whenever more than its numbers has changed."""

    def __init__(
        self,
        record: K,
        folder: Path,
        events: Publisher,
        told: Callable[[K], None],
        pending: Mapping[str, Any] | None = None,
    ) -> None:
        self.record, self.folder = record, folder
        self.events, self._told = events, told
        self.wishes = Wishes(pending)
        self.over = threading.Event()  # everything is written, nothing follows
        self._work: Iterator[None] | None = None
        self._resting = False

    @property
    def ready(self) -> bool:
        """Whether there is something to paint, or a pause to begin."""
        return not (self.wishes.resting and (self._resting or not self.at_work))

    @property
    def at_work(self) -> bool:
        """Whether it is in memory, and tells by itself what it comes to."""
        return self._work is not None

    @property
    @abstractmethod
    def patient(self) -> bool:
        """Whether it gives way to others."""

    def pull(self) -> bool:
        """Paint a bit; False when it is over. Never raises: what goes wrong is told in the record."""
        try:
            self._work = self._work or self._course()
            next(self._work)
            return True
        except StopIteration:
            pass
        except Exception as error:
            if not isinstance(error, GramaryeError):
                _log.exception("%s failed", self.folder)
            self._end_as("failed", in_one_line(self._for_the_page(error)))
        self._free()
        self._clear()
        self.over.set()
        self._told(self.record)
        return False

    def put_away(self) -> None:
        """Keep on disk what is needed to go on later, and free the memory; what was at work waits again."""
        self._keep()
        self._free()
        if self.record.state == "running":
            self._say("waiting")

    @abstractmethod
    def _course(self) -> Iterator[None]:
        """The whole of it, from what is on the disk to what is written at the end."""

    def _keep(self) -> None:
        """Write what is not on the disk yet."""

    def _clear(self) -> None:
        """Remove what nobody needs when it is over."""

    def _for_the_page(self, error: Exception) -> Exception:
        """An error in words for those who see the page."""
        return error

    def _free(self) -> None:
        if self._work is not None:
            self._work.close()  # type: ignore[attr-defined]  # a generator
        self._work, self._resting = None, False

    def _end_as(self, state: str, error: str | None = None) -> None:
        self.record.state, self.record.remaining, self.record.error = state, None, error
        self.wishes.take_changes()

    def _say(self, state: str) -> None:
        self.record.state = state
        self._told(self.record)
