"""A report's folder: whose it is, and how it is written, each file whole or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from gramarye.errors import ImageError
from gramarye.files import writable

Writer = Callable[[Path], None]

PAGE, NUMBERS, LEDGER, RESULT, FIGURES = "report.html", "numbers.json", "ledger.csv", "result.png", "figures"
NAMES = (PAGE, NUMBERS, LEDGER, RESULT, FIGURES)
_OURS = re.compile(r"(figures/)?[A-Za-z0-9-]+\.(html|json|csv|md|tex|parquet|png|svg)")


def check(folder: Path) -> None:
    """Refuse, before any work, a folder that cannot be written to or that holds others' files by our names.

    It is ours if it is not there, holds none of our names, or has a report from before, which is replaced.
    Raises ImageError.
    """
    if folder.exists() and not folder.is_dir():
        raise ImageError("a report is written to a folder", f"a file, {folder}", "choose another name")
    if folder.is_dir() and earlier(folder) is None:
        taken = [name for name in NAMES if (folder / name).exists()]
        if taken:
            received = f"{folder} with {' and '.join(taken)} that no report wrote"
            raise ImageError("a report must not overwrite other files", received, "choose an empty or a new folder")
    with _as_report():
        writable(_nearest(folder) / PAGE)


def write(folder: Path, files: Mapping[str, Writer]) -> None:
    """The files, by their names inside the folder, the page last; those of an earlier report that are left over go.

    A writer is given the path and writes the file whole or not at all. When something goes wrong, what is new is
    removed again. Raises ImageError.
    """
    check(folder)
    before = earlier(folder) or ()
    made: list[Path] = []
    try:
        for name in sorted(files, key=lambda each: each == PAGE):
            path = folder / name
            made += _make_folders(path.parent)
            made += [] if path.exists() else [path]
            with _as_report():
                files[name](path)
    except BaseException:
        _remove(reversed(made))
        raise
    _remove(folder / name for name in before if name not in files)


def earlier(folder: Path) -> tuple[str, ...] | None:
    """The files of the report that lies in the folder, by its own account; None if there is none."""
    try:
        found = json.loads((folder / NUMBERS).read_text(encoding="utf-8"))
        names = found["files"] if "gramarye" in found else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(names, list):
        return None
    return tuple(name for name in names if isinstance(name, str) and _OURS.fullmatch(name))


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder with those above it that are not there; returns what was made, the uppermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()][::-1]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        received = f"{folder}: {(error.strerror or str(error)).lower()}"
        raise ImageError("a report needs a folder to write to", received, "choose another one") from error
    return missing


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    there = (each for each in (folder, *folder.absolute().parents) if each.exists())
    return next(there, Path())


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()


@contextmanager
def _as_report() -> Iterator[None]:
    """What cannot be written is called a report, not a picture."""
    try:
        yield
    except ImageError as error:
        raise ImageError("the report cannot be written", error.received or error.rule, error.remedy) from error
