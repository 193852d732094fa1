"""A loaded brush: strokes that follow a field of directions, with bristles, two colours and thickness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from .materials import Array, clouds, halved, to_oklab, to_rgb

Mixing = Callable[[Array, np.random.Generator], Array]
SCALE = 2  # canvas pixels for one pixel of the scene
BRISTLES = 48


@dataclass(frozen=True)
class Scene:
    """What the painter looks at: colour (H W 3), stroke direction (H W, radians), need of detail (H W)."""

    colour: Array
    angle: Array
    detail: Array


@dataclass(frozen=True)
class Brush:
    """How one layer is painted; lengths in pixels of the finished picture, jitters in OKLab units."""

    width: float
    length: float
    spacing: float = 0.8  # distance of strokes in widths
    light_jitter: float = 0.035
    hue_jitter: float = 0.025
    streak: float = 0.05  # lightness contrast of the bristles
    dry: float = 0.25  # how early the brush runs out of paint
    load: float = 1.0  # thickness of the paint
    need: float = 0.0  # strokes only where the scene needs this much detail
    tolerance: float = 0.25  # a stroke ends where the scene's colour has changed so much
    wander: float = 0.12  # radians of unsteadiness


@dataclass
class Canvas:
    """Wet paint: colour (H W 3) and thickness (H W), at SCALE times the scene's size."""

    colour: Array
    thickness: Array
    rng: np.random.Generator
    bank: Array = field(init=False)

    def __post_init__(self) -> None:
        self.bank = np.stack([bristle_marks(self.rng) for _ in range(24)])


def primed(shape: tuple[int, int], ground: Array, rng: np.random.Generator) -> Canvas:
    """A canvas toned with one ground colour, which shows through between strokes."""
    size = (shape[0] * SCALE, shape[1] * SCALE)
    weave = 0.02 * clouds(size, 3, rng, 2)
    return Canvas(np.clip(ground + weave[..., None], 0, 1).astype(np.float32), weave * 2, rng)


def bristle_marks(rng: np.random.Generator) -> Array:
    """The streaks of one brush: noise very long along the stroke, in [-1, 1] (256 × BRISTLES)."""
    streaks = clouds((BRISTLES, 256), 3.0, rng, 2, stretch=40).T + 0.35 * clouds((256, BRISTLES), 3, rng, 2)
    return np.clip(streaks / 2, -1, 1).astype(np.float32)


def sample(picture: Array, points: Array) -> Array:
    """Values of a scene's picture at points (… 2: x, y in scene pixels), nearest pixel."""
    x = np.clip(np.rint(points[..., 0]), 0, picture.shape[1] - 1).astype(np.intp)
    y = np.clip(np.rint(points[..., 1]), 0, picture.shape[0] - 1).astype(np.intp)
    return picture[y, x]


def scattered(shape: tuple[int, int], spacing: float, rng: np.random.Generator) -> Array:
    """Points on a jittered grid, in random order (N 2: x, y)."""
    grid = np.mgrid[0 : shape[0] + spacing : spacing, 0 : shape[1] + spacing : spacing]
    points = grid[::-1].reshape(2, -1).T + rng.uniform(-0.6, 0.6, (grid[0].size, 2)) * spacing
    return rng.permutation(points).astype(np.float32)


def follow(scene: Scene, starts: Array, length: Array, brush: Brush, rng: np.random.Generator) -> Array:
    """Trace every stroke both ways along the directions until the colour changes (N 13 2)."""
    reach = 6
    stride = (length / (2 * reach))[:, None]
    unsteady = rng.normal(0, brush.wander, len(starts))
    wanted = to_oklab(sample(scene.colour, starts))
    halves = []
    for sense in (1.0, -1.0):
        point, path, alive = starts.copy(), [], np.ones(len(starts), bool)
        for _ in range(reach):
            turn = sample(scene.angle, point) + unsteady
            ahead = point + sense * stride * np.stack([np.cos(turn), np.sin(turn)], -1)
            gone = np.linalg.norm(to_oklab(sample(scene.colour, ahead)) - wanted, axis=-1) > brush.tolerance
            alive &= ~gone
            point = np.where(alive[:, None], ahead, point).astype(np.float32)
            path.append(point)
        halves.append(path)
    return np.stack([*halves[1][::-1], starts, *halves[0]], 1)


def lay(canvas: Canvas, path: Array, width: float, *, colours: Array, brush: Brush, choice: int) -> None:
    """Drag one loaded brush along a path: splat a ribbon of bristles, each with its paint and height."""
    steps = np.hypot(*np.diff(path, axis=0).T)
    path = path[np.concatenate([[True], steps > 1e-3])] * SCALE
    if len(path) < 2:
        return
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    half = width * SCALE / 2
    along_count, across_count = int(along[-1] / 0.75) + 4, int(half * 2 / 0.7) + 3
    u = np.linspace(0, 1, along_count, dtype=np.float32)
    line = np.stack([np.interp(u * along[-1], along, path[:, axis]) for axis in (0, 1)], -1)
    line = ndimage.uniform_filter1d(line, max(along_count // 8, 1), axis=0, mode="nearest")
    ahead = np.gradient(line, axis=0)
    ahead /= np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-6)[:, None]
    v = np.linspace(-1, 1, across_count, dtype=np.float32)
    press = np.minimum(1, np.minimum(u * along[-1] / half, (1 - u) * along[-1] / half) + 0.35) ** 0.5
    offset = press[:, None] * v * half
    x = np.rint(line[:, :1] - ahead[:, 1:] * offset).astype(np.intp)
    y = np.rint(line[:, 1:] + ahead[:, :1] * offset).astype(np.intp)
    row = (u * 220 + choice % 36).astype(np.intp)
    column = ((v + 1) / 2 * (BRISTLES - 1)).astype(np.intp)
    marks = canvas.bank[choice % len(canvas.bank)][row[:, None], column]
    paint = marks + 1.15 - brush.dry * (0.4 + 1.1 * u[:, None]) - 0.5 * np.abs(v) ** 6
    height, width_limit = canvas.thickness.shape
    wet = (paint > 0) & (x >= 0) & (y >= 0) & (x < width_limit) & (y < height)
    x, y, marks = x[wet], y[wet], marks[wet]
    blend = np.clip(0.5 + marks * 0.9, 0, 1)[:, None]
    canvas.colour[y, x] = colours[0] * (1 - blend) + colours[1] * blend
    body = brush.load * (0.6 + 0.4 * marks + 0.35 * np.broadcast_to(np.abs(v) ** 3, wet.shape)[wet])
    canvas.thickness[y, x] = 0.45 * canvas.thickness[y, x] + body * min(half / 8, 1.2)


def paint_layer(canvas: Canvas, scene: Scene, brush: Brush, palette: Mixing | None = None) -> int:
    """Cover the scene with one size of brush, colours taken from it at that size; strokes laid.

    `palette` may change the colours (N 3, OKLab) that the painter mixes for what is seen.
    """
    rng = canvas.rng
    blur = brush.width / 5
    seen = Scene(ndimage.gaussian_filter(scene.colour, (blur, blur, 0)), scene.angle, scene.detail)
    starts = scattered(scene.angle.shape, brush.width * brush.spacing, rng)
    starts = starts[sample(scene.detail, starts) >= brush.need - rng.uniform(0, 0.15, len(starts))]
    length = brush.length * rng.uniform(0.6, 1.3, len(starts))
    paths = follow(seen, starts, length, brush, rng)
    lab = to_oklab(sample(seen.colour, starts))
    lab = palette(lab, rng) if palette else lab
    lab[:, 0] += rng.normal(0, brush.light_jitter, len(starts))
    lab[:, 1:] += rng.normal(0, brush.hue_jitter, (len(starts), 2))
    streak = np.array([brush.streak, 0, 0]) + rng.normal(0, brush.hue_jitter / 2, (len(starts), 3))
    pairs = np.stack([to_rgb(lab - streak), to_rgb(lab + streak)], 1)
    widths = brush.width * rng.uniform(0.75, 1.2, len(starts))
    choices = rng.integers(0, 10_000, len(starts))
    for path, width, colours, choice in zip(paths, widths, pairs, choices, strict=True):
        lay(canvas, path, float(width), colours=colours, brush=brush, choice=int(choice))
    return len(starts)


def lit(canvas: Canvas, strength: float = 0.5) -> Array:
    """The dried painting, lit from the upper left: relief of the paint as light and shade."""
    body = ndimage.gaussian_filter(canvas.thickness, 0.7)
    slope_y, slope_x = np.gradient(body)
    shade = (slope_x * 0.75 + slope_y) * strength
    shade = shade / (1 + np.abs(shade) * 1.5)
    light = np.maximum(shade, 0)[..., None]
    return halved(np.clip(canvas.colour * (1 + 0.75 * np.minimum(shade, 0)[..., None]) + 0.32 * light, 0, 1))
