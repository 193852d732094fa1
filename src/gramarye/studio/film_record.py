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
from typing import Any, ClassVar

from gramarye.files import write_atomically
from gramarye.studio.kept import Kept

VIEWS = ("painted", "filmed", "flow", "hidden")
FILM = "painted.mp4"
COLUMNS = ("warp_error", "source_warp_error", "seen", "cut", "motion")

Row = dict[str, Any]  # index, and one of each of COLUMNS


@dataclass(kw_only=True)
class FilmRecord(Kept):
    """A film that is painted: `count` frames of which `index` are there, each `height` × `width` pixels.

    `findings` are what its flicker says in plain sentences, `notes` what is otherwise than one would think.
    """

    FILE: ClassVar[str] = "film.json"

    clip: str
    painting: str
    size: int
    width: int
    height: int
    rate: float
    count: int
    sound: bool
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    film: bool = False  # whether it is written

    def plain(self) -> dict[str, Any]:
        """As `Film` in types.ts."""
        return asdict(self)

    def find_out(self, folder: Path) -> None:
        """By the frames that were told of."""
        self.index = len(rows(folder))


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
