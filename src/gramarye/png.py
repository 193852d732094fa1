"""A PNG writer for 8 and 16 bits, because Pillow cannot write 16 bit colour.

Source: Portable Network Graphics, third edition (W3C 2025); section numbers below are its.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

COMPRESSION = 6  # zlib's own default; 9 takes four times as long for about 1 %
_COLOUR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}  # channels to colour type (11.2.1)
_ROWS_AT_ONCE = 64


def encode(samples: NDArray[Any], profile: bytes, text: dict[str, str]) -> bytes:
    """The bytes of a PNG: `samples` are `H W C`, C in 1 … 4, uint8 or uint16; `profile` is ICC.

    `text` goes into uncompressed iTXt chunks by keyword, before the pixels, where readers find it
    without decoding.
    """
    height, width, channels = samples.shape
    bits = samples.dtype.itemsize * 8
    header = struct.pack(">IIBBBBB", width, height, bits, _COLOUR_TYPE[channels], 0, 0, 0)
    chunks = [chunk(b"IHDR", header), chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(profile))]
    chunks += [chunk(b"iTXt", key.encode() + b"\0\0\0\0\0" + value.encode()) for key, value in text.items()]
    chunks += [chunk(b"IDAT", data) for data in _compressed(samples)]
    return b"".join([b"\x89PNG\r\n\x1a\n", *chunks, chunk(b"IEND", b"")])


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk: length, kind, data, CRC (5.3)."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _compressed(samples: NDArray[Any]) -> Iterator[bytes]:
    height, width, channels = samples.shape
    pixel = channels * samples.dtype.itemsize
    compressor = zlib.compressobj(COMPRESSION)
    above = np.zeros((1, width * pixel), np.uint8)
    for top in range(0, height, _ROWS_AT_ONCE):
        block = samples[top : top + _ROWS_AT_ONCE]
        rows = np.ascontiguousarray(block, block.dtype.newbyteorder(">")).view(np.uint8)
        rows = rows.reshape(len(block), width * pixel)
        filtered = _filter(np.concatenate([above, rows]), pixel)
        above = rows[-1:]
        yield compressor.compress(filtered.tobytes())
    yield compressor.flush()


def _filter(rows: NDArray[Any], pixel: int) -> NDArray[Any]:
    """Rows under filter type 4, Paeth, each led by its type (9.2, 9.4); the first row is only context."""
    padded = np.pad(rows, ((0, 0), (pixel, 0))).astype(np.int16)
    left, above, corner = padded[1:, :-pixel], padded[:-1, pixel:], padded[:-1, :-pixel]
    to_left, to_above = np.abs(above - corner), np.abs(left - corner)
    to_corner = np.abs(left + above - 2 * corner)
    predicted = np.where(to_above <= to_corner, above, corner)
    predicted = np.where((to_left <= to_above) & (to_left <= to_corner), left, predicted)
    differences = (padded[1:, pixel:] - predicted).astype(np.uint8)
    return np.pad(differences, ((0, 0), (1, 0)), constant_values=4)
