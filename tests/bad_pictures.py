"""Makers of files that are no usable picture, for the tests of images.py and of the command line.

`BAD_PICTURES` is a table of (name, maker); a maker takes a folder and returns the path that it made,
which `gramarye.images.load` must refuse with an ImageError. Nothing here is larger than a few kB.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Maker = Callable[[Path], Path]
CUTS = {"header": 0.0, "quarter": 0.25, "half": 0.5, "ninety": 0.9, "end": 1.0}
ENCODINGS: dict[str, tuple[str, str, dict[str, Any]]] = {  # name: suffix, Pillow's format, options
    "png": (".png", "PNG", {}),
    "jpeg": (".jpg", "JPEG", {}),
    "jpeg-progressive": (".jpg", "JPEG", {"progressive": True}),
    "webp": (".webp", "WEBP", {}),
    "webp-lossless": (".webp", "WEBP", {"lossless": True}),
    "tiff": (".tif", "TIFF", {}),
    "tiff-deflate": (".tif", "TIFF", {"compression": "tiff_adobe_deflate"}),
    "tiff-lzw": (".tif", "TIFF", {"compression": "tiff_lzw"}),
    "bmp": (".bmp", "BMP", {}),
    "gif": (".gif", "GIF", {}),
}


def noise(height: int = 48, width: int = 64, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(encoding: str, height: int = 48, width: int = 64) -> bytes:
    """A whole, good picture as bytes."""
    _, kind, options = ENCODINGS[encoding]
    buffer = io.BytesIO()
    Image.fromarray(noise(height, width)).save(buffer, kind, **options)
    return buffer.getvalue()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, data: bytes, *extra: bytes, bits: int = 8, colour: int = 2) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    end = png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + end


def tiff(width: int, height: int, compression: int = 1, strip: bytes = b"") -> bytes:
    """A little-endian greyscale TIFF of one strip, whatever its header says."""
    entries = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, compression), (262, 3, 1)]
    entries += [(273, 4, 8 + 2 + 12 * 9 + 4), (277, 3, 1), (278, 4, height), (279, 4, len(strip))]
    fields = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + fields + b"\0\0\0\0" + strip


def float_tiff(values: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values.astype(np.float32)).save(buffer, "TIFF")
    return buffer.getvalue()


def file(name: str, data: Callable[[], bytes] | bytes) -> Maker:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(data if isinstance(data, bytes) else data())
        return path

    return make


def cut_at(encoding: str, fraction: float) -> bytes:
    """A good picture cut: at least 12 bytes left, at least the end of its pixels lost."""
    whole = encoded(encoding)
    return whole[: min(max(12, int(len(whole) * fraction)), len(whole) - 8)]


def _cuts() -> Iterator[tuple[str, Maker]]:
    for encoding, (suffix, _, _) in ENCODINGS.items():
        for place, fraction in CUTS.items():
            name = f"{encoding}-cut-{place}"
            yield name, file(name + suffix, lambda e=encoding, f=fraction: cut_at(e, f))


def _flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]


def _bomb_text() -> bytes:
    return png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(70_000_000), 9))


def _gif_header(width: int, height: int) -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return screen + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00;"


def _webp_header(width: int, height: int) -> bytes:
    canvas = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    chunk = b"VP8X" + struct.pack("<I", 10) + bytes(4) + canvas
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def _bmp_header(width: int, height: int) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info + bytes(100)


def _jpeg_header(width: int, height: int) -> bytes:
    whole = encoded("jpeg")
    at = whole.index(b"\xff\xc0") + 5
    return whole[:at] + struct.pack(">HH", height, width) + whole[at + 4 :]


def _sized(height: int, width: int) -> Callable[[], bytes]:
    return lambda: encoded("png", height, width)


def _nan(value: float) -> Callable[[], bytes]:
    def make() -> bytes:
        values = np.full((40, 40), 0.5)
        values[3, 4] = value
        return float_tiff(values)

    return make


def _rows(height: int, width: int) -> bytes:
    return zlib.compress(bytes(height * (1 + 3 * width)))


def _link(target: str) -> Maker:
    def make(folder: Path) -> Path:
        path = folder / "link.png"
        path.symlink_to(target)
        return path

    return make


def _folder(folder: Path) -> Path:
    path = folder / "folder.png"
    path.mkdir()
    return path


def _fifo(folder: Path) -> Path:
    path = folder / "pipe.png"
    os.mkfifo(path)
    return path


def _forbidden(folder: Path) -> Path:
    path = file("forbidden.png", encoded("png"))(folder)
    path.chmod(0)
    return path


NOT_PICTURES: dict[str, bytes] = {
    "empty.png": b"",
    "one-byte.jpg": b"\xff",
    "zeros.png": bytes(1000),
    "text.jpg": b"This is not a picture.\n" * 20,
    "page.png": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"></svg>',
    "document.pdf": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "drawing.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\nshowpage\n%%EOF\n",
    "phone.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
    "new.avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(100),
    "bitmap.ppm": b"P6 40 40 255\n" + bytes(4800),
    "layers.psd": b"8BPS\0\x01" + bytes(200),
    "icon.ico": b"\0\0\1\0\1\0\x40\x40\0\0\1\0\x20\0" + bytes(200),
    "archive.png": b"PK\x03\x04" + bytes(200),
    "signature-only.png": b"\x89PNG\r\n\x1a\n",
    "signature-only.gif": b"GIF89a",
    "signature-only.tif": b"II*\0",
    "signature-only.webp": b"RIFF\x10\0\0\0WEBPVP8 ",
    "signature-only.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "signature-only.bmp": b"BM",
}

BAD_PICTURES: tuple[tuple[str, Maker], ...] = (
    *_cuts(),
    *((name, file(name, data)) for name, data in NOT_PICTURES.items()),
    ("bomb-png-header", file("bomb.png", lambda: png(60_000, 60_000, zlib.compress(bytes(1000))))),
    ("bomb-png-2-to-the-31", file("bomb.png", lambda: png(2**31 - 1, 2**31 - 1, b""))),
    ("bomb-png-just-over-the-limit", file("bomb.png", lambda: png(10_001, 10_000, b""))),
    ("bomb-gif-header", file("bomb.gif", lambda: _gif_header(65_000, 65_000))),
    ("bomb-tiff-header", file("bomb.tif", lambda: tiff(100_000, 100_000))),
    ("bomb-webp-header", file("bomb.webp", lambda: _webp_header(16_000, 16_000))),
    ("bomb-bmp-header", file("bomb.bmp", lambda: _bmp_header(40_000, 40_000))),
    ("bomb-jpeg-header", file("bomb.jpg", lambda: _jpeg_header(65_000, 65_000))),
    ("bomb-text-chunk", file("bomb.png", lambda: png(64, 64, _rows(64, 64), _bomb_text()))),
    ("png-no-data", file("none.png", lambda: png(64, 64, b""))),
    ("png-data-not-zlib", file("raw.png", lambda: png(64, 64, bytes(5000)))),
    ("png-bad-header-crc", file("crc.png", lambda: _flipped(encoded("png"), 30))),
    ("png-bad-data-crc", file("crc.png", lambda: _flipped(encoded("png"), -13))),
    ("png-damaged-data", file("data.png", lambda: _flipped(encoded("png"), 3000))),
    ("png-strange-colour-type", file("colour.png", lambda: png(64, 64, _rows(64, 64), colour=5))),
    ("png-zero-by-zero", file("zero.png", lambda: png(0, 0, b""))),
    ("png-zero-height", file("zero.png", lambda: png(64, 0, b""))),
    ("tiff-zero-by-zero", file("zero.tif", lambda: tiff(0, 0))),
    ("bmp-zero-by-zero", file("zero.bmp", lambda: _bmp_header(0, 0))),
    ("tiff-unknown-compression", file("odd.tif", lambda: tiff(64, 64, 12345, bytes(4096)))),
    ("tiff-strip-missing", file("odd.tif", lambda: tiff(64, 64))),
    ("tiff-directory-outside", file("odd.tif", lambda: b"II*\0\xff\xff\xff\x7f" + bytes(100))),
    ("tiff-nan", file("nan.tif", _nan(float("nan")))),
    ("tiff-infinity", file("inf.tif", _nan(float("inf")))),
    ("tiff-minus-infinity", file("inf.tif", _nan(float("-inf")))),
    ("tiff-float-to-255", file("range.tif", _nan(255.0))),
    ("tiff-float-negative", file("range.tif", _nan(-0.5))),
    ("one-pixel", file("small.png", _sized(1, 1))),
    ("31-by-500", file("small.png", _sized(500, 31))),
    ("500-by-31", file("small.png", _sized(31, 500))),
    ("33-by-5000", file("long.png", _sized(5000, 33))),
    ("700-by-34", file("long.png", _sized(34, 700))),
    ("missing", lambda folder: folder / "missing.png"),
    ("missing-folder", lambda folder: folder / "nowhere" / "missing.png"),
    ("name-too-long", lambda folder: folder / ("n" * 300 + ".png")),
    ("name-with-zero-byte", lambda folder: folder / "a\0b.png"),
    ("folder", _folder),
    ("dangling-link", _link("nothing.png")),
    ("link-to-itself", _link("link.png")),
    ("link-to-device", _link("/dev/zero")),
    ("device", lambda folder: Path("/dev/zero")),
    ("null-device", lambda folder: Path(os.devnull)),
    ("pipe", _fifo),
    ("no-permission", _forbidden),
)
