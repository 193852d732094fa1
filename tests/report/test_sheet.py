"""Contact sheets."""

from __future__ import annotations

from pathlib import Path

import pytest

from gramarye import images
from gramarye.errors import ImageError
from gramarye.report.sheet import Cell, contact_sheet
from networks import picture


def test_a_sheet_is_a_picture_of_all_cells(tmp_path: Path) -> None:
    cells = [Cell(f"picture {k}", picture(60, 80, k), inset=picture(40, 30, k + 9)) for k in range(5)]
    contact_sheet(cells, tmp_path / "sheet.png")
    pixels = images.load(tmp_path / "sheet.png").pixels
    assert pixels.shape[3] > pixels.shape[2] > 300
    assert float(pixels.std()) > 0.05


def test_same_cells_same_bytes(tmp_path: Path) -> None:
    cells = [Cell("one", picture(60, 80, 1))]
    for name in ("a.png", "b.png"):
        contact_sheet(cells, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_nowhere_to_write(tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        contact_sheet([Cell("one", picture(60, 80, 1))], tmp_path / "missing" / "sheet.png")
