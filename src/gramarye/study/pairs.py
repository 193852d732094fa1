"""Pairs of a photograph and a painting, as a plan names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gramarye import demo
from gramarye.errors import ImageError, StudyError
from gramarye.files import open_regular
from gramarye.study.record import Pair
from gramarye.study.tables import Table


@dataclass
class Pairs:
    """The pairs of one reading of a plan: `given` ones take the place of all, `pictures` of single ones.

    `pictures` has a file for a picture in the plan's own words, such as "demo:cubist".
    """

    given: tuple[tuple[str, str], ...] = ()
    pictures: Mapping[str, str] = field(default_factory=dict)
    known: dict[str, Pair] = field(default_factory=dict)  # by name

    def of(self, tables: Sequence[Table], folder: Path) -> tuple[Pair, ...]:
        """The pairs of [[pairs]] tables, relative to `folder`, or those given instead; raises a GramaryeError."""
        if self.given:
            return tuple(self._pair(*each, Path()) for each in self.given)
        return tuple(self._read(each, folder) for each in tables)

    def _read(self, table: Table, folder: Path) -> Pair:
        table.only(("name", "content", "style"))
        for key in ("content", "style"):
            if not table.text(key):
                raise StudyError("a pair needs content and style", f"no {key}", f'give {key} = "a file"')
        return self._pair(table.text("content"), table.text("style"), folder, table.text("name"))

    def _pair(self, content: str, style: str, folder: Path, name: str = "") -> Pair:
        """A pair under its name, or its files' names; a number tells another pair of that name apart."""
        paths = [self._picture(each, folder) for each in (content, style)]
        name = name or " × ".join(path.stem for path in paths)
        numbered = (name if number == 1 else f"{name} {number}" for number in range(1, len(self.known) + 2))
        pairs = (Pair(each, *map(str, paths)) for each in numbered)
        return next(pair for pair in pairs if self.known.setdefault(pair.name, pair) == pair)

    def _picture(self, text: str, folder: Path) -> Path:
        """The file of a picture: what is taken in its place, bundled, or relative to the plan's folder."""
        if text in self.pictures:
            text, folder = self.pictures[text], Path()
        if text.startswith(demo.PREFIX):
            return _bundled(text.removeprefix(demo.PREFIX))
        path = folder / Path(text).expanduser()
        with open_regular(path):
            return path.resolve()


def _bundled(name: str) -> Path:
    try:
        return demo.path_of(name)
    except ImageError as error:
        raise StudyError(error.rule, error.received, error.remedy) from error
