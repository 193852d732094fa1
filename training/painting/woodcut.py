"""Woodcut: sunrise over a mountain bay with a leaning pine, cut in a key block and printed in five inks."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .block import SHAPE, Print, cut, doubled, grid, printed, rim
from .materials import Array, clouds, curve, halved, noise, ridge, shape_mask, step

SUN = (742.0, 400.0, 168.0)
SHORE = 860.0
# The pine's pads of needles: x and y of the foot, half width, height.
PADS = (
    (-6, 590, 110, 62),
    (300, 726, 118, 58),
    (430, 520, 110, 56),
    (590, 500, 142, 66),
    (210, 250, 128, 68),
    (330, 178, 110, 60),
    (440, 330, 150, 74),
    (560, 262, 96, 52),
    (90, 330, 120, 60),
    (20, 450, 96, 54),
    (260, 410, 84, 48),
)


def sky(sheet: Print) -> None:
    """Rings of morning air around the sun, and long bars of cloud."""
    x, y = grid()
    wobble = clouds(SHAPE, 170, sheet.rng, 2)
    far = np.hypot(x - SUN[0], y - SUN[1]) + 13 * wobble
    air = step(y, SHORE + 10, SHORE)
    taper = clouds(SHAPE, 60, sheet.rng, 3, 2.5)
    thick = 0.05 + 0.5 * step(far, 260, 900) + 0.16 * taper
    sheet.line(air * step(far, SUN[2] + 24, SUN[2] + 34), cut(far / 22, thick, 22.0))
    sheet.ink("ochre", air * step(far, 560, 250), 0.85)
    sheet.ink("blue", air * step(far, 330, 760))
    disc = step(np.hypot(x - SUN[0], y - SUN[1]), SUN[2], SUN[2] - 2)
    sheet.clear(disc)
    sheet.ink("red", disc)
    for level, left, right, height in (
        (150, -40, 560, 34),
        (236, 470, 1200, 30),
        (330, -60, 420, 30),
        (470, 610, 1180, 24),
        (560, -40, 330, 22),
    ):
        cloud(sheet, level, left, right, height)


def cloud(sheet: Print, level: float, left: float, right: float, height: float) -> None:
    """One bar of cloud with round ends and lobes: white paper, an outline, a few lines underneath."""
    x, y = grid()
    inner = np.clip(x, left + height, right - height)
    lobes = height * (0.72 + 0.34 * np.abs(np.sin(x / 62 + level)) * (y < level))
    body = step(np.hypot(x - inner, (y - level) * 1.0) - lobes, 1, -1)
    sheet.clear(body)
    under = (y - level) / height
    sheet.line(
        body,
        cut(
            (y + 5 * np.sin(x / 90)) / 11,
            np.clip(0.1 + 0.5 * under + 0.12 * noise(SHAPE, 40, sheet.rng, 4), 0, 0.8),
            11.0,
        ),
    )
    sheet.ink("ochre", body * step(under, 0.6, -0.2), 0.35)
    sheet.line(body, rim(body, 3.5))


def mountain(
    sheet: Print,
    peak: tuple[float, float],
    *,
    width: float,
    rough: float,
    snow: float,
    inks: tuple[str, float],
) -> None:
    """A mountain of ridges running down from its peak: lit faces bare, dark ones cut in fanning lines."""
    x, y = grid()
    drop = np.maximum(y - peak[1] + 60, 1)
    side = np.abs(x[0] - peak[0]) / width
    skyline = (
        peak[1] + 470 * (1 - np.exp(-side * 1.25)) + ridge(SHAPE[1], 0, rough, 90, sheet.rng) * np.minimum(side * 3, 1)
    )
    body = step(y - skyline, -1, 1) * step(y, SHORE + 1, SHORE - 1)
    fan = (x - peak[0]) / (drop + 90)
    spurs = np.sin(fan * 11 + 1.5 * clouds(SHAPE, 120, sheet.rng, 3) + peak[0]) + 0.55 * np.sin(
        fan * 27 + 1.6 * noise(SHAPE, 70, sheet.rng)
    )
    shadow = np.clip(0.42 + 0.42 * spurs + 0.5 * fan, 0, 1)
    phase, period = doubled(fan + 0.02 * clouds(SHAPE, 90, sheet.rng, 2), drop + 90, 13, 0.0)
    thick = np.clip(1.35 * shadow - 0.28 + 0.1 * noise(SHAPE, 18, sheet.rng), 0, 0.93)
    sheet.clear(body)
    white = step(y - skyline + 26 * spurs, snow, snow - 14)
    sheet.line(body, cut(phase, thick * (1 - 0.55 * white), period))
    sheet.ink(inks[0], body * (1 - white), inks[1])
    sheet.ink("blue", body * step(shadow, 0.45, 0.6), 0.55)
    sheet.line(body, rim(body, 4.5))


def sea(sheet: Print) -> None:
    """The bay: waves that grow towards us, crests of white paper, the sun's path in red bars."""
    x, y = grid()
    depth = np.maximum(y - SHORE, 0.5)
    swell = clouds(SHAPE, 50, sheet.rng, 3, 4)
    lift = (0.18 * np.sin(x / (14 + depth * 0.13) + 2.2 * noise(SHAPE, 200, sheet.rng)) + 0.3 * swell) * np.minimum(
        depth / 60, 1.3
    )
    phase = 17 * np.log1p(depth / 55) + lift
    period = (55 + depth) / 17
    water = step(y - SHORE, -1, 1)
    tone = clouds(SHAPE, 60, sheet.rng, 3, 5)
    path = np.exp(-(((x - SUN[0] + 40) / (60 + depth * 0.22)) ** 2))
    thick = np.clip(0.34 + 0.17 * tone + 0.24 * step(depth, 200, 620) - 0.25 * path, 0.05, 0.85)
    sheet.clear(water)
    crest = np.abs(phase + 0.5 - np.rint(phase + 0.5)) < 0.24 + 0.1 * tone
    sheet.ink("blue", water, np.where(crest & (tone > -0.2), 0.12, 0.75 + 0.25 * step(depth, 60, 460)))
    sheet.inks["blue"] *= 1 - water * step(path, 0.3, 0.6) * 0.9
    bars = cut(phase + 0.5, np.clip(path * 0.95 - 0.12 + 0.14 * tone, 0, 0.8), period)
    sheet.ink("red", water * bars)
    sheet.ink("ochre", water * step(path, 0.25, 0.6), 0.55)
    sheet.line(water, cut(phase, thick, period))
    for place, size in (((330, 930), 1.0), ((214, 906), 0.6), ((905, 968), 1.5)):
        boat(sheet, place, size)


def boat(sheet: Print, place: tuple[float, float], size: float) -> None:
    """A fishing boat with a battened sail."""

    def put(points: list[tuple[float, float]]) -> Array:
        return shape_mask(SHAPE, [[(place[0] + x * size, place[1] + y * size) for x, y in points]], 0.5)

    x, y = grid()
    sail = put([*curve([(-4, -112), (34, -96), (44, -50), (38, -12)]), (-8, -10), (-10, -60)])
    hull = put([(-52, -8), (52, -10), (38, 12), (-40, 12)])
    sheet.clear(np.maximum(sail, hull))
    sheet.ink("ochre", sail, 0.3)
    sheet.line(
        sail,
        cut((y - place[1]) / (16 * size) + 0.08 * np.sin(x / 9), np.full(SHAPE, 0.2, np.float32), 16 * size),
    )
    sheet.line(sail, rim(sail, 3))
    sheet.line(hull, hull * (1 - cut((y - place[1]) / 9, np.full(SHAPE, 0.25, np.float32), 9.0)))


def rocks(sheet: Print) -> None:
    """Black rocks in front, hollowed with white cuts that run down their faces."""
    x, y = grid()
    for index, (centre, top, width) in enumerate(
        ((70, 1010, 330), (330, 1235, 260), (1040, 1200, 240), (800, 1372, 250), (560, 1400, 250))
    ):
        edge = top + 0.0011 * (x[0] - centre) ** 2 * (240 / width) ** 2 * 2.4 + ridge(SHAPE[1], 0, 16, 50, sheet.rng)
        body = step(y - edge, -1.5, 1.5)
        reach = np.maximum(y - top + 190, 60)
        fan = (x - centre) / reach
        facets = np.sin(fan * 9 + 2 * clouds(SHAPE, 100, sheet.rng, 3) + index)
        phase, period = doubled(fan * 1.2 + 0.05 * noise(SHAPE, 80, sheet.rng), reach, 15, noise(SHAPE, 50, sheet.rng))
        light = np.clip(
            0.30 - 0.42 * facets - 0.35 * fan - 0.0016 * (y - edge) + 0.14 * noise(SHAPE, 22, sheet.rng),
            0,
            0.72,
        )
        sheet.clear(body)
        sheet.ink("ochre", body * step(facets, 0.1, -0.3), 0.9)
        sheet.ink("green", body * step(facets, -0.5, 0.2), 0.9)
        sheet.line(body, 1 - cut(phase, light, period))
        sheet.line(body, rim(body, 6))
        foam = (
            step(np.abs(y - edge + 12 + 6 * np.sin(x / 23 + index)), 8, 5)
            * (y > SHORE + 60)
            * (body < 0.5)
            * (np.abs(x - centre) < width)
        )
        sheet.clear(foam)


def pine(sheet: Print) -> None:
    """A pine that leans over the bay from the left: scaled bark, and pads of needles cut as fans."""
    x, y = grid()
    trunk = curve([(20, 1060), (70, 900), (60, 740), (120, 600), (235, 500), (330, 380), (420, 320)]) + curve(
        [(424, 328), (350, 402), (270, 532), (168, 640), (122, 750), (140, 900), (130, 1060)])  # fmt: skip
    limbs = [
        curve([(220, 505), (340, 480), (470, 505), (600, 488)])
        + curve([(600, 494), (470, 520), (340, 505), (215, 540)]),
        curve([(100, 660), (10, 600), (-20, 590)]) + curve([(-20, 606), (40, 640), (110, 700)]),
        curve([(130, 690), (220, 690), (310, 720)]) + curve([(310, 726), (220, 708), (125, 730)]),
        curve([(330, 390), (300, 300), (220, 240)]) + curve([(214, 246), (280, 310), (310, 410)]),
    ]
    wood = shape_mask(SHAPE, [trunk, *limbs], 0.6)
    sheet.clear(wood)
    sheet.ink("red", wood, 0.55)
    sheet.ink("ochre", wood, 0.8)
    inside = ndimage.distance_transform_edt(wood > 0.5)
    scales = noise(SHAPE, 26, sheet.rng)
    bark = cut(
        (x * 0.9 + y * 0.55 + 16 * scales) / 12,
        np.clip(0.5 + 0.22 * scales - 0.016 * inside, 0.12, 0.8),
        12.0,
    )
    bark = np.maximum(bark, cut((y * 0.8 - x * 0.5 + 14 * scales) / 34, np.full(SHAPE, 0.13, np.float32), 34.0))
    sheet.line(wood, np.maximum(bark, rim(wood, 6)))
    for centre_x, centre_y, wide, high in PADS:
        needles(sheet, centre_x, centre_y, wide, high)


def needles(sheet: Print, centre_x: float, centre_y: float, wide: float, high: float) -> None:
    """One pad of needles: a scalloped fan, green under black strokes that spread from its foot."""
    x, y = grid()
    dx, dy = (x - centre_x) / wide, (y - centre_y) / high
    spread = np.arctan2(dx, 0.55 - dy)
    edge = 1 + 0.10 * np.abs(np.sin(spread * 9)) + 0.05 * noise(SHAPE, 20, sheet.rng)
    pad = step(np.hypot(dx, np.where(dy > 0, dy * 2.6, dy)) - edge, 0.02, -0.02)
    far = np.hypot(dx, dy - 0.55)
    clump = 0.5 + 0.5 * np.cos(spread * 13 + 5 * np.rint(far * 2.5))
    phase, period = doubled(spread / 1.0 + 0.02 * np.rint(far * 2.5), far * wide * 1.1, 9, noise(SHAPE, 30, sheet.rng))
    thick = np.clip(0.86 - 0.55 * clump * step(dy, 0.3, -0.9) - 0.22 * (far > 0.9) + 0.15 * dy, 0.12, 1)
    sheet.clear(pad)
    sheet.ink("green", pad)
    sheet.line(pad, np.maximum(cut(phase, thick, period), rim(pad, 3)))


def paint(rng: np.random.Generator) -> Array:
    """Cut the blocks from the back of the picture to the front, print them, and trim the sheet."""
    sheet = Print(rng)
    sky(sheet)
    mountain(sheet, (330, 420), width=420, rough=15, snow=120, inks=("blue", 0.5))
    mountain(sheet, (930, 600), width=250, rough=12, snow=40, inks=("green", 0.7))
    mountain(sheet, (70, 690), width=260, rough=10, snow=0, inks=("green", 0.9))
    sea(sheet)
    rocks(sheet)
    pine(sheet)
    return halved(np.clip(printed(sheet)[8:-8, 8:-8], 0, 1))
