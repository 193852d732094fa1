"""What is known of a film that is painted, in memory while it is and in its folder for good.

ID/film.json        the FilmRecord
ID/moments.jsonl    one line a frame: how steady it is
ID/painted/17.webp  frame 17; filmed/, flow/ and hidden/ beside it
ID/painted.mp4      the film with its sound; painted.mp4.work/ as long as it is not there
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gramarye.files import write_atomically

UNFINISHED = ("waiting", "running", "paused")
OVER = ("finished", "stopped", "failed")
VIEWS = ("painted", "filmed", "flow", "hidden")
FILM = "painted.mp4"
COLUMNS = ("warp_error", "source_warp_error", "seen", "cut", "motion")

Row = dict[str, Any]  # index, and one of each of COLUMNS


@dataclass
class FilmRecord:
    """A film that is painted: `count` frames of which `index` are there, each `height` × `width` pixels.

    `findings` are what its flicker says in plain sentences, `notes` what is otherwise than one would think.
    """

    id: str
    title: str
    clip: str
    painting: str
    size: int
    width: int
    height: int
    rate: float
    count: int
    sound: bool
    started: str
    state: str = "waiting"
    index: int = 0
    seconds: float = 0.0
    remaining: float | None = None
    error: str | None = None
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    film: bool = False  # whether it is written

    def plain(self) -> dict[str, Any]:
        """As `Film` in types.ts."""
        return asdict(self)

    def save(self, folder: Path) -> None:
        """Write it to its folder, whole or not at all; raises ImageError when that is not possible."""
        write_atomically(folder / "film.json", json.dumps(asdict(self), separators=(",", ":")).encode())


def read(folder: Path) -> FilmRecord:
    """The record in a folder; raises OSError, ValueError, TypeError or KeyError for what is none."""
    record = FilmRecord(**json.loads((folder / "film.json").read_text()))
    if record.id != folder.name:
        raise ValueError(record.id)
    return record


def rows(folder: Path) -> list[Row]:
    """What was told of each frame, in their order; a last line that a crash has torn is passed over."""
    found: dict[int, Row] = {}
    try:
        for line in (folder / "moments.jsonl").read_text().splitlines():
            row = json.loads(line)
            found[row["index"]] = row
    except (OSError, ValueError):
        pass
    return [found[index] for index in sorted(found)]


def write_rows(folder: Path, found: Sequence[Row]) -> None:
    """Write all rows anew, whole or not at all; raises ImageError when that is not possible."""
    write_atomically(folder / "moments.jsonl", "".join(map(_line, found)).encode())


def add_row(folder: Path, row: Mapping[str, Any]) -> None:
    """Write down one more frame."""
    with (folder / "moments.jsonl").open("a") as file:
        file.write(_line(row))


def columns(found: Sequence[Row]) -> dict[str, list[Any]]:
    """The rows by columns."""
    return {name: [row[name] for row in found] for name in COLUMNS}


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, separators=(",", ":")) + "\n"
