"""Contact sheets."""

from __future__ import annotations

from pathlib import Path

import pytest

from gramarye import images
from gramarye.errors import ImageError
from gramarye.report import sheet
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


def test_many_cells_are_on_several_sheets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "COLUMNS", 3)
    monkeypatch.setattr(sheet, "ROWS", 2)
    cells = (Cell(f"{number}", picture(60, 80, 1)) for number in range(13))
    names = ["sheet.png", "sheet-2.png", "sheet-3.png"]
    pages = sheet.contact_sheets(cells, tmp_path / "sheet.png", columns=9)
    assert pages == [tmp_path / name for name in names]
    sizes = [images.load(page).pixels.shape[2:] for page in pages]
    assert sizes[0] == sizes[1] > sizes[2]
    assert sheet.contact_sheets([], tmp_path / "none.png", columns=2) == []


def test_rows_are_as_high_as_their_highest_picture(tmp_path: Path) -> None:
    def height(*cells: Cell) -> int:
        contact_sheet(cells, tmp_path / "sheet.png", columns=2)
        return images.load(tmp_path / "sheet.png").pixels.shape[2]

    wide, square = Cell("wide", picture(40, 80, 1)), Cell("square", picture(64, 64, 1))
    missing = Cell("missing", None, note="it could not be painted, for a long reason " * 20)
    assert height(wide, missing) < height(wide, square) == height(square, missing)
    assert height(wide, wide, square) < height(square, wide, square)
    assert height(missing) > 50
    assert height(Cell("$a_b$ " * 40, None, note=r"$\frac$")) > 50  # no mathematics


def test_thumbnails(tmp_path: Path) -> None:
    images.save(picture(300, 600, 1), tmp_path / "large.png")
    assert sheet.thumbnail(tmp_path / "large.png").shape == (1, 3, sheet.LONG_SIDE // 2, sheet.LONG_SIDE)
    assert sheet.thumbnail(tmp_path / "large.png", 100).shape == (1, 3, 50, 100)
    (tmp_path / "bad.png").write_bytes(b"bad")
    assert sheet.thumbnail(tmp_path / "bad.png") is None
