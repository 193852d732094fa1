"""What the lens has found, kept on the disk beside the run: home/runs/ID/lens/VERSION/NAME/, each whole or not there.

A folder holds answer.json and the pictures that it speaks of. Its name says what it is an answer to, the picture that
was looked at included, so that no answer becomes stale. What has not been asked for the longest makes room.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gramarye.studio.answers import text_of
from gramarye.studio.refusals import Unknown

VERSION = "1"  # of what the answers look like: another one is computed anew
LARGEST = 24_000_000  # bytes of answers of one run
NAME = re.compile(r"[a-z0-9_]{1,16}(\.[a-z0-9-]{1,40}){0,3}")  # relu3_1.pair.result-24.3-17
PICTURE = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True)
class Found:
    """An answer: plain data, and the pictures (WebP) that it speaks of by their names."""

    data: Mapping[str, Any]
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)


class Shelf:
    """The answers of all runs, whose folders lie in `runs`; the identifiers of runs are known to be good."""

    def __init__(self, runs: Path, largest: int = LARGEST) -> None:
        self.runs, self.largest = runs, largest

    def folder(self, run: str) -> Path:
        """Where the answers of a run are."""
        return self.runs / run / "lens" / VERSION

    def read(self, run: str, name: str) -> bytes | None:
        """The JSON of an answer; None if it is not there."""
        return self._read(run, name, "answer.json")

    def picture(self, run: str, name: str, picture: str) -> bytes | None:
        """A picture of an answer; None if it is not there."""
        return self._read(run, name, f"{picture}.webp") if PICTURE.fullmatch(picture) else None

    def _read(self, run: str, name: str, file: str) -> bytes | None:
        if not NAME.fullmatch(name):
            return None
        folder = self.folder(run) / name
        try:
            data = (folder / file).read_bytes()
        except FileNotFoundError:
            return None
        with suppress(OSError):
            os.utime(folder)  # asked for just now
        return data

    def keep(self, run: str, name: str, found: Found) -> None:
        """Write an answer whole; raises Unknown if the run has been deleted in the meantime."""
        folder = self.folder(run)
        try:
            for each in (folder.parent, folder):  # not the run's own: it would come back as a shell
                each.mkdir(exist_ok=True)
            _write(folder / name, found)
            self._make_room(folder)
        except FileNotFoundError as error:
            raise Unknown("the run must be there", "one that was deleted") from error

    def _make_room(self, folder: Path) -> None:
        """Remove the answers that were asked for the longest ago, and what a crash has left, until all fits."""
        sizes = {each: (each.stat().st_mtime, _size(each)) for each in folder.iterdir()}
        total = sum(size for _, size in sizes.values())
        for each, (_, size) in sorted(sizes.items(), key=lambda item: item[1][0]):
            if total <= self.largest:
                return
            shutil.rmtree(each, ignore_errors=True)
            total -= size


def _write(folder: Path, found: Found) -> None:
    """A folder with an answer, all at once; the one that is there already stays."""
    beside = folder.with_name(f".{secrets.token_hex(8)}")
    beside.mkdir()
    try:
        for picture, data in found.pictures.items():
            (beside / f"{picture}.webp").write_bytes(data)
        (beside / "answer.json").write_text(text_of(found.data))
        beside.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())
