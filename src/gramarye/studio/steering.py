"""Runs or films, steered: paused, taken up again, stopped and deleted. Every method may be called from any thread."""

from __future__ import annotations

import logging
import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from gramarye.errors import GramaryeError
from gramarye.studio.kept import OVER, K, all_in
from gramarye.studio.refusals import Refusal, Unknown
from gramarye.studio.sitting import Sitting
from gramarye.studio.worker import Publisher, Worker

S = TypeVar("S", bound=Sitting[Any])
_log = logging.getLogger(__name__)


class Steered(ABC, Generic[K, S]):
    """All of them, by their identifiers; some are at the easel or wait for it."""

    ONE: ClassVar[str]  # what people call one of them
    ACTIONS: ClassVar[tuple[str, ...]]
    INSTEAD: ClassVar[str]  # of steering one that is over

    def __init__(self, home: Path, kind: type[K], events: Publisher, worker: Worker) -> None:
        self.home, self.events, self.worker = home, events, worker
        self.home.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._records = {found.id: found for found in all_in(kind, home)}
        self._sittings: dict[str, S] = {}

    def get(self, one: object) -> K:
        """What is known of one; raises Unknown for anything but an identifier from here."""
        with self._lock:
            found = self._records.get(one) if isinstance(one, str) else None
        if found is None:
            rule = f"there must be a {self.ONE} with that identifier"
            raise Unknown(rule, repr(one)[:80], "choose one from the list")
        return found

    @abstractmethod
    def create(self, request: Mapping[str, Any]) -> K:
        """Begin one; raises a GramaryeError for what cannot be painted."""

    @abstractmethod
    def shown(self, one: object) -> dict[str, Any]:
        """One with all that a page shows of it."""

    @abstractmethod
    def _sit(self, found: K, action: str) -> None:
        """Queue one, with a first wish."""

    @abstractmethod
    def _untouched(self, found: K) -> bool:
        """Whether nothing of it has been painted."""

    @abstractmethod
    def _tell(self, found: K) -> None:
        """Tell the pages that it has changed."""

    def _tell_gone(self, found: K) -> None:
        """Tell the pages that it is deleted."""
        self._tell(found)

    def _learn(self, found: K) -> None:
        """It is over."""

    def control(self, one: object, control: Mapping[str, Any]) -> K:
        """Do what `Control` in types.ts says; raises a GramaryeError where its state does not allow it."""
        action = control.get("action")
        if action not in self.ACTIONS:
            raise Refusal(f"an action is one of {', '.join(self.ACTIONS)}", repr(action)[:80])
        with self._lock:
            found = self.get(one)
            if found.state in OVER:
                received = f"{action} of one that is {found.state}"
                raise Refusal(f"a {self.ONE} that is over stays as it is", received, self.INSTEAD)
            self._obey(found, self._sittings.get(found.id), control)
        self.worker.wake()
        return found

    def _obey(self, found: K, sitting: S | None, control: Mapping[str, Any]) -> None:
        """Do what one that is not over is told; without a sitting it was interrupted."""
        if sitting is None:
            self._take_up(found, control["action"])
        else:
            self._steer(sitting, control["action"])

    def _take_up(self, found: K, action: str) -> None:
        """What an interrupted one is told."""
        if action == "pause":
            rule = f"only a {self.ONE} that is painted can be paused"
            raise Refusal(rule, found.state, "resume it, or leave it")
        found.state, found.error = "waiting", None
        found.save(self.home / found.id)
        self._sit(found, action)

    def _steer(self, sitting: S, action: str) -> None:
        getattr(sitting.wishes, action)()
        found: K = sitting.record
        if action == "stop" and self._untouched(found) and self.worker.leave(sitting):
            found.state = "stopped"
            sitting.over.set()
        elif sitting.at_work:
            return  # it tells when it has come to that
        else:
            found.state = "paused" if sitting.wishes.resting else "waiting"
        self._changed(found)

    def _changed(self, found: K) -> None:
        """Keep and tell a record; forget the sitting of one that is over."""
        with self._lock:
            if found.id not in self._records:
                return
            try:
                found.save(self.home / found.id)
            except GramaryeError as error:  # a full disk; the painting goes on
                _log.warning("%s %s: %s", self.ONE, found.id, error)
            sitting = self._sittings.get(found.id)
            if sitting is not None and sitting.over.is_set():
                del self._sittings[found.id]
                self._learn(found)
        self._tell(found)

    def remove(self, one: object) -> None:
        """Delete one; raises Refusal while it is painted."""
        found = self.get(one)
        with self._lock:
            sitting = self._sittings.get(found.id)
            if sitting is not None and not self.worker.leave(sitting):
                rule = f"a {self.ONE} is deleted when it is not being painted"
                raise Refusal(rule, found.state, "stop it first")
            self._sittings.pop(found.id, None)
            self._records.pop(found.id, None)
        shutil.rmtree(self.home / found.id, ignore_errors=True)
        self._tell_gone(found)
