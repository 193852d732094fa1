"""The materials of every painting: pigments mixed in OKLab, cloud-like noise, drawn shapes, and saving."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

Array = NDArray[np.float32]
Points = Sequence[tuple[float, float]]

# Björn Ottosson's OKLab (2020), linear sRGB -> cone response -> lightness and two opponent axes.
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
OPPONENT = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
CONES_BACK = np.linalg.inv(CONES)
OPPONENT_BACK = np.linalg.inv(OPPONENT)


def to_oklab(rgb: Array) -> Array:
    """sRGB in [0, 1] (… 3) to OKLab, where mixing and jittering look even to the eye."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((np.maximum(rgb, 0) + 0.055) / 1.055) ** 2.4)
    return (np.cbrt(linear @ CONES.T) @ OPPONENT.T).astype(np.float32)


def to_rgb(lab: Array) -> Array:
    """OKLab (… 3) back to sRGB, clipped to [0, 1]."""
    linear = np.clip(((lab @ OPPONENT_BACK.T) ** 3) @ CONES_BACK.T, 0, 1)
    rgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.clip(rgb, 0, 1).astype(np.float32)


def pigment(code: str) -> Array:
    """A hexadecimal colour as sRGB in [0, 1]."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)], dtype=np.float32)


def ramp(amount: Array, codes: str) -> Array:
    """Mix a row of pigments (hexadecimal, blank-separated) by an amount in [0, 1], evenly in OKLab."""
    stops = to_oklab(np.stack([pigment(code) for code in codes.split()]))
    places = np.linspace(0, 1, len(stops))
    channels = [np.interp(amount, places, stops[:, channel]) for channel in range(3)]
    return to_rgb(np.stack(channels, -1).astype(np.float32))


def noise(shape: tuple[int, int], cell: float, rng: np.random.Generator, stretch: float = 1.0) -> Array:
    """Smooth noise of unit variance with features of `cell` pixels, `stretch` times as wide as high."""
    small = rng.standard_normal([int(size / cell / part) + 5 for size, part in zip(shape, (1.0, stretch), strict=True)])
    rows, columns = (
        between(size, cell * part, nodes) for size, part, nodes in zip(shape, (1.0, stretch), small.shape, strict=True)
    )
    smooth = rows @ small.astype(np.float32) @ columns.T
    return smooth / max(float(smooth.std()), 1e-6)


def between(size: int, cell: float, nodes: int) -> Array:
    """Catmull–Rom weights of `nodes` values, `cell` pixels apart, at every pixel (size nodes)."""
    place = np.arange(size) / cell + 1.5
    first = np.floor(place).astype(int)
    t = place - first
    weights = np.zeros((size, nodes), np.float32)
    parts = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2)
    for offset, part in zip((-1, 0, 1, 2), parts, strict=True):
        np.add.at(weights, (np.arange(size), np.minimum(first + offset, nodes - 1)), part / 2)
    return weights


def clouds(
    shape: tuple[int, int], cell: float, rng: np.random.Generator, octaves: int = 4, stretch: float = 1.0
) -> Array:
    """Octaves of noise, each half as large and half as strong: unit variance."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        total += 0.5**octave * noise(shape, max(cell / 2**octave, 1.5), rng, stretch)
    return total / max(float(total.std()), 1e-6)


def ridge(width: int, level: float, swing: float, cell: float, rng: np.random.Generator) -> Array:
    """A skyline: for every column the height (pixels from the top) of a hill's edge."""
    return level + swing * clouds((1, width), cell, rng, 5)[0]


def step(value: Array, low: float, high: float) -> Array:
    """Smooth step from 0 at `low` to 1 at `high` (either may be the greater)."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def mix(under: Array, over: Array, cover: Array | float) -> Array:
    """Lay one colour over another, `cover` (H W) in [0, 1]."""
    amount = np.asarray(cover, np.float32)
    return under + (over - under) * (amount[..., None] if amount.ndim else amount)


def equalised(values: Array) -> Array:
    """Ranks in [0, 1]: every tone gets the same area."""
    order = np.empty(values.size, np.float32)
    order[np.argsort(values, axis=None)] = np.linspace(0, 1, values.size, dtype=np.float32)
    return order.reshape(values.shape)


def shape_mask(shape: tuple[int, int], polygons: Sequence[Points], soft: float = 0.7) -> Array:
    """Filled polygons (x, y in pixels) as an antialiased mask."""
    sheet = Image.new("L", (shape[1] * 2, shape[0] * 2))
    pen = ImageDraw.Draw(sheet)
    for points in polygons:
        pen.polygon([(x * 2, y * 2) for x, y in points], fill=255)
    mask = np.asarray(sheet.resize((shape[1], shape[0]), Image.Resampling.BOX), np.float32) / 255
    return ndimage.gaussian_filter(mask, soft) if soft else mask


def curve(points: Points, closed: bool = False, per_span: int = 16) -> list[tuple[float, float]]:
    """A smooth line through points (Catmull–Rom)."""
    nodes = np.asarray(points, np.float32)
    ends = (nodes[-1:], nodes[:2]) if closed else (nodes[:1], nodes[-1:])
    nodes = np.concatenate([ends[0], nodes, ends[1]])
    t = np.linspace(0, 1, per_span, endpoint=False)[:, None]
    spans = []
    for a, b, c, d in zip(nodes, nodes[1:], nodes[2:], nodes[3:], strict=False):
        spans.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    line = np.concatenate(spans if closed else [*spans, nodes[-1:]])
    return [(float(x), float(y)) for x, y in line]


def halved(picture: Array) -> Array:
    """Every 2×2 pixels averaged: pictures are painted at twice their size."""
    height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
    cut = picture[:height, :width]
    return cut.reshape(height // 2, 2, width // 2, 2, *cut.shape[2:]).mean((1, 3))


def save(picture: Array, path: Path, limit: int = 250_000) -> int:
    """Write a JPEG at the best quality (at most 92) that keeps it under `limit` bytes; its size."""
    pixels = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
    for quality in range(92, 69, -1):
        file = io.BytesIO()
        pixels.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
        if file.tell() <= limit:
            break
    path.write_bytes(file.getvalue())
    return file.tell()
