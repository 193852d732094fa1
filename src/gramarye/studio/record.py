"""What is known of a run, in memory while it is painted and in its folder for good.

ID/run.json         the Record
ID/steps.jsonl      one line a step, in order
ID/frames/          see `frames`
ID/mask.png, start.png (or .webp)   what it was given beside pictures of the gallery
ID/checkpoint       of a painting that is not finished
ID/result.png       with its recipe inside
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from gramarye.files import write_atomically
from gramarye.settings import KNOBS, Settings
from gramarye.studio.faders import faders_of, weighed
from gramarye.studio.frames import kept_in
from gramarye.studio.kept import Kept

_SUMMARY = (
    *("id", "state", "title", "content", "styles", "preset", "started", "index", "steps"),
    *("seconds", "remaining", "frame", "parent", "demo", "error"),
)


@dataclass(kw_only=True)
class Record(Kept):
    """A run. `settings` are those it began with, nested; `changes` those made since, as the page sent them.

    `pending` are changes that no step has seen yet; `without` pairs of channels left out, (layer, i, j).
    """

    FILE: ClassVar[str] = "run.json"

    content: str
    styles: list[str]
    preset: str
    settings: dict[str, Any]
    steps: int
    frame: int | None = None
    parent: dict[str, Any] | None = None
    demo: bool = False
    width: int = 0
    height: int = 0
    terms: list[dict[str, str]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    pending: dict[str, Any] = field(default_factory=dict)
    without: list[list[Any]] = field(default_factory=list)
    mask: bool = False
    start: str | None = None  # the file's name
    names: list[str] = field(default_factory=list)  # of the photograph's and the paintings' files, for people

    def summary(self) -> dict[str, Any]:
        """As `RunSummary` in types.ts."""
        return {name: getattr(self, name) for name in _SUMMARY}

    @property
    def first(self) -> Settings:
        """The settings that it began with."""
        return Settings.from_dict(self.settings)

    @property
    def last(self) -> Settings:
        """The settings as they are now, with what is pending."""
        settings = self.first
        for change in (*(each["settings"] for each in self.changes), self.pending):
            settings = settings.with_(**weighed(settings, change))
        return settings

    def known(self) -> dict[str, Any]:
        """As `Run` in types.ts, without steps, frames and command."""
        shown = ("width", "height", "terms", "changes", "mask")
        return {**self.summary(), **{name: getattr(self, name) for name in shown}, "settings": flat(self.last)}

    def find_out(self, folder: Path) -> None:
        """By the steps and frames that are there."""
        last = mend_rows(folder)
        self.index = last["index"] if last else 0
        newest = kept_in(folder / "frames").newest
        self.frame = newest if newest >= 0 else None


def flat(settings: Settings) -> dict[str, Any]:
    """Every knob by its dotted name; the style layers' weights as five faders."""
    values = {name: settings.get(name) for name in KNOBS}
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return plain | {"style.layer_weights": faders_of(settings)}


# ---- steps ---------------------------------------------------------------------------------------------------------

Row = dict[str, Any]  # index, scale, total, weighted, gradients, ms


def rows(folder: Path) -> Iterator[Row]:
    """The steps that were made; a last line that a crash has torn is passed over."""
    try:
        lines = (folder / "steps.jsonl").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            return


def columns(found: Sequence[Row] | Iterator[Row], terms: int) -> dict[str, list[Any]]:
    """The steps by columns; terms that came later count nothing before."""
    table: dict[str, list[Any]] = {name: [] for name in ("index", "scale", "total", "weighted", "gradients", "ms")}
    for row in found:
        for name, column in table.items():
            value = row[name]
            column.append(value + [0.0] * (terms - len(value)) if isinstance(value, list) else value)
    return table


def mend_rows(folder: Path) -> Mapping[str, Any] | None:
    """The last step that was written whole; what a crash has torn after it is cut off."""
    kept = list(rows(folder))
    path = folder / "steps.jsonl"
    if path.exists():
        write_atomically(path, "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in kept).encode())
    return kept[-1] if kept else None
