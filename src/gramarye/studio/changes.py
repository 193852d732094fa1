"""What people wish of a run while it is painted, said on one thread and done on another between two steps."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any


class Wishes:
    """Pause, one step, stop, and other settings. Every method may be called from any thread."""

    def __init__(self, pending: Mapping[str, Any] | None = None) -> None:
        self._lock = threading.Lock()
        self._pending = dict(pending or {})
        self._paused, self._steps, self._stop = False, 0, False

    def pause(self) -> None:
        """Rest after the step under way."""
        with self._lock:
            self._paused, self._steps = True, 0

    def resume(self) -> None:
        """Go on."""
        with self._lock:
            self._paused, self._steps = False, 0

    def step(self) -> None:
        """Make one step, and rest."""
        with self._lock:
            self._paused, self._steps = True, self._steps + 1

    def stop(self) -> None:
        """End with what is there."""
        with self._lock:
            self._stop = True

    def change(self, settings: Mapping[str, Any]) -> None:
        """Take other settings at the next step."""
        with self._lock:
            self._pending |= settings

    @property
    def pending(self) -> dict[str, Any]:
        """The settings that no step has seen yet."""
        with self._lock:
            return dict(self._pending)

    @property
    def stopped(self) -> bool:
        """Whether it is to end."""
        return self._stop

    @property
    def resting(self) -> bool:
        """Whether there is nothing to do until another wish."""
        with self._lock:
            return self._paused and not self._steps and not self._stop

    def take_step(self) -> None:
        """One of the single steps is being made."""
        with self._lock:
            self._steps = max(0, self._steps - 1)

    def take_changes(self) -> dict[str, Any]:
        """The settings that are pending, which then are not any more."""
        with self._lock:
            pending, self._pending = self._pending, {}
            return pending
