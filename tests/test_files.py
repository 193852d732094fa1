"""Files that are to be written: what is refused before any work."""

from __future__ import annotations

from pathlib import Path

import pytest

from gramarye.errors import ImageError, MissingExtraError
from gramarye.files import destination_of


def missing() -> None:
    raise MissingExtraError("a harp needs strings", "no module strings", "pip install strings")


KNOWN = {".lute": None, ".harp": missing}


@pytest.mark.parametrize("name", ["out.lute", "OUT.LUTE"])
def test_where_it_would_be_written(name: str, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(tmp_path)
    assert destination_of(tmp_path / "linked" / name, "a song", KNOWN) == tmp_path.resolve() / name
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("out.lutes", r"unknown suffix for a song; got '\.lutes' in '.*out\.lutes'\. Did you mean '\.lute'\?"),
        ("out", r"unknown suffix for a song; got '' in '.*out'\. Known: \.harp, \.lute"),
        ("nowhere/out.lute", "the folder to write to must exist"),
    ],
)
def test_what_is_refused(name: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=told):
        destination_of(tmp_path / name, "a song", KNOWN)


def test_a_package_that_is_missing_is_told_before_the_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match="Pip install strings"):
        destination_of(tmp_path / "nowhere" / "out.harp", "a song", KNOWN)
