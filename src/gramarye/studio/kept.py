"""What is known of something that is painted, a run or a film: in memory while it is, and in its folder for good."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

from gramarye.files import write_atomically

UNFINISHED = ("waiting", "running", "paused")
OVER = ("finished", "stopped", "failed")


@dataclass(kw_only=True)
class Kept(ABC):
    """`index` steps or frames are made; `state` is one of UNFINISHED, one of OVER, or interrupted."""

    FILE: ClassVar[str]

    id: str
    title: str
    started: str
    state: str = "waiting"
    index: int = 0
    seconds: float = 0.0
    remaining: float | None = None
    error: str | None = None

    def save(self, folder: Path) -> None:
        """Write it to its folder, whole or not at all; raises ImageError when that is not possible."""
        write_atomically(folder / self.FILE, json.dumps(asdict(self), separators=(",", ":")).encode())

    @abstractmethod
    def find_out(self, folder: Path) -> None:
        """How far it had come when it was interrupted."""


K = TypeVar("K", bound=Kept)


def read(kind: type[K], folder: Path) -> K:
    """The one in a folder; raises OSError, ValueError, TypeError or KeyError for what is none."""
    found = kind(**json.loads((folder / kind.FILE).read_text()))
    if found.id != folder.name:
        raise ValueError(found.id)
    return found


def all_in(kind: type[K], home: Path) -> Iterator[K]:
    """Those on the disk; what was under way is interrupted, and what is none is passed over."""
    for folder in home.iterdir():
        if not re.fullmatch(r"[0-9a-f]{16}", folder.name):
            continue
        try:
            found = read(kind, folder)
        except (OSError, ValueError, TypeError, KeyError):
            continue
        if found.state in UNFINISHED:
            found.state, found.remaining = "interrupted", None
            found.find_out(folder)
            found.save(folder)
        yield found
