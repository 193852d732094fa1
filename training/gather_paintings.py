"""Paintings to learn from: 28 of the public domain, out of Debian's package gcompris-qt-data.

    apt-get download gcompris-qt-data && dpkg-deb -x gcompris-qt-data_*.deb GCOMPRIS
    python training/gather_paintings.py GCOMPRIS/usr/share/gcompris-qt/rcc --out PAINTINGS

GCompris has puzzles of paintings by Arcimboldo, Bazille, Bellini, Bruegel, Cassatt, Dürer, van Gogh, Hiroshige,
Hokusai, Kandinsky, Leonardo and Renoir, whose pieces are put together here, and eight whole paintings by van Gogh: all
about 500 px high. The works are in the public domain; for its files the package states the GPL 3 or later and, for the
puzzles, WebMuseum.
"""

from __future__ import annotations

import argparse
import io
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

PIECE = r'"pixmapfile"\s*:\s*"image/([^"]+\.webp)",\s*"x"\s*:\s*"([\d.]+)",\s*"y"\s*:\s*"([\d.]+)"'  # its middle
NUMBER = r"[_-][a-e]?\d\.webp"  # of a piece
SIZE = r'"width"\s*:\s*(\d+),\s*"height"\s*:\s*(\d+)'
WHOLE = r"(.*Gogh.*|PortraitOfPereTanguy|Eglise_dAuvers-sur-Oise)_background\.webp"
LEFT_OUT = ("Michelangelo_Pieta", "GreatWave")  # a photograph of a sculpture; one that is known
DIRECTORY, DEFLATED, ZSTANDARD = 2, 1, 4


def main() -> None:
    """Gather the paintings and say what was written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where paintings.rcc and details.rcc are")
    parser.add_argument("--out", type=Path, required=True)
    wanted = parser.parse_args()
    wanted.out.mkdir(parents=True, exist_ok=True)
    for name, painting in gathered(wanted.folder):
        painting.save(wanted.out / f"{name}.png")
        print(f"{name}.png  {painting.width}x{painting.height}")


def gathered(folder: Path) -> Iterator[tuple[str, Image.Image]]:
    """The paintings with their names."""
    puzzles = dict(contents((folder / "paintings.rcc").read_bytes()))
    for name, data in sorted(puzzles.items()):
        if name.endswith(".qml") and (pieces := re.findall(PIECE, board := data.decode())):
            painting, size = re.sub(NUMBER, "", pieces[0][0]), re.search(SIZE, board)
            if size and painting not in LEFT_OUT:
                yield painting, together(puzzles, pieces, (int(size[1]), int(size[2])))
    for name, data in sorted(contents((folder / "details.rcc").read_bytes())):
        if found := re.fullmatch(WHOLE, name):
            yield found[1], Image.open(io.BytesIO(data)).convert("RGB")


def together(files: dict[str, bytes], pieces: list[tuple[str, str, str]], size: tuple[int, int]) -> Image.Image:
    """The painting of a puzzle from its pieces, without the margin around it."""
    board = Image.new("RGBA", size)
    for name, x, y in pieces:
        piece = Image.open(io.BytesIO(files[name])).convert("RGBA")
        middle = (float(x) * size[0], float(y) * size[1])
        corner = [round(place - side / 2) for place, side in zip(middle, piece.size, strict=True)]
        board.alpha_composite(piece, (max(0, corner[0]), max(0, corner[1])))
    return board.convert("RGB").crop(board.getbbox())


def contents(resource: bytes) -> Iterator[tuple[str, bytes]]:
    """The files in a Qt resource with their names, folders left out; those packed with Zstandard are passed over."""
    version, tree, data, names = struct.unpack_from(">4I", resource, 4)
    node = 14 if version == 1 else 22  # bytes; the tree is the last thing in the file
    for at in range(tree, len(resource) - node + 1, node):
        place, flags = struct.unpack_from(">IH", resource, at)
        if flags & (DIRECTORY | ZSTANDARD):
            continue
        (length,) = struct.unpack_from(">H", resource, names + place)
        name = resource[names + place + 6 : names + place + 6 + 2 * length].decode("utf-16-be")
        (offset,) = struct.unpack_from(">I", resource, at + 10)
        (size,) = struct.unpack_from(">I", resource, data + offset)
        packed = resource[data + offset + 4 : data + offset + 4 + size]
        yield name, zlib.decompress(packed[4:]) if flags & DEFLATED else packed


if __name__ == "__main__":
    main()
