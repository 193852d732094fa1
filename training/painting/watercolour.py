"""Watercolour: a temple in misty mountains in indigo and vermilion, washes wet in wet and dry brush."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .materials import Array, Points, clouds, curve, halved, noise, ridge, shape_mask, step
from .wash import SHAPE, Sheet, grid

WATER = 1080.0

INDIGO, SLATE, VERMILION, CRIMSON = "24355f", "5d7590", "d9401f", "8c1c26"
OCHRE, ROSE, PINE, SEPIA = "dca24a", "e08f7c", "2b4a48", "3c2a2c"

# Leaves, in the order of painting: spread and size in pixels, pigment, strength, lifting of what is below.
LEAVES = (
    (46, 25, OCHRE, 0.5, 0.7),
    (44, 22, ROSE, 0.6, 0.5),
    (36, 15, VERMILION, 0.7, 0.55),
    (50, 11, VERMILION, 0.95, 0.65),
    (30, 8, CRIMSON, 0.9, 0.3),
    (46, 7, OCHRE, 0.5, 0.8),
    (30, 5, SEPIA, 0.45, 0.0),
)


def sky(sheet: Sheet) -> None:
    """A warm sky wet in wet: rose and ochre below, slate cloud above, and a vermilion sun."""
    x, y = grid()
    drift = clouds(SHAPE, 150, sheet.rng, 5, 1.8)
    glow = step(y + 60 * drift, 60, 360) * step(y, 800, 420)
    sheet.wash(glow, OCHRE, 0.42 * glow, 0)
    sheet.wash(glow, ROSE, 0.55 * step(y + 80 * drift, 260, 560) * step(y, 860, 560), 0)
    cloud = step(drift * 110 - y, -330, 60)
    sheet.wash(cloud, SLATE, 1.15 * cloud, 0, 0.22)
    sheet.wash(step(drift * 100 - y, -120, 140), INDIGO, 0.75, 0.25, 0.26)
    for centre_x, centre_y, size in ((240, 120, 95), (860, 190, 120), (520, 60, 70), (1030, 60, 80)):
        sheet.bloom(centre_x, centre_y, size)
    far = np.hypot(x - 742, y - 330)
    sheet.mist(step(far, 128, 84) * 0.85)
    sheet.wash(step(far, 101, 99), VERMILION, 0.85 + 0.35 * step(y, 280, 420), 0.5, 0.12)


def peaks(level: float, swing: float, summits: Points, rng: np.random.Generator) -> Array:
    """A skyline of steep summits (x, height) on a rough ridge (W)."""
    x = np.arange(SHAPE[1], dtype=np.float32)
    line = np.full(SHAPE[1], level, np.float32)
    for centre, height in summits:
        lean = np.where(x < centre, 1.0, 0.75)
        line = np.minimum(line, level - height * np.exp(-np.abs(x - centre) / (height * 0.42) * lean))
    return line + ridge(SHAPE[1], 0, swing, 70, rng)


def mountains(sheet: Sheet) -> None:
    """Five ranges, each darker and nearer, each dissolving downwards into mist; ravines in dry brush."""
    x, y = grid()
    ranges: tuple[tuple[float, float, Points, str, float, float], ...] = (
        (640, 7, ((180, 230), (420, 130), (950, 190)), SLATE, 0.42, 250),
        (740, 9, ((330, 400), (600, 170), (1080, 330)), SLATE, 0.8, 330),
        (840, 11, ((90, 400), (520, 180), (880, 300)), INDIGO, 0.52, 300),
        (930, 12, ((700, 150), (1060, 330), (270, 190)), INDIGO, 0.85, 270),
        (1020, 12, ((-20, 330), (430, 80), (1150, 250)), INDIGO, 1.35, 250),
    )
    for level, swing, summits, code, strength, fade in ranges:
        skyline = peaks(level, swing, summits, sheet.rng)
        fog = clouds(SHAPE, 120, sheet.rng, 4, 2.5)
        deep = y - skyline
        body = step(deep, -2.5, 2.5)
        sheet.mist(body * step(deep, -2, 60) * 0.7)
        low = step(y + 34 * fog, level + 95, level - fade * 0.6)
        sheet.mist(step(y + 30 * fog, level - 40, level + 70) * step(y, level + 190, level + 90) * 0.75)
        sheet.wash(body, code, strength * low * (0.75 + 0.35 * step(deep, 60, 0)), 0.45, 0.2)
        fan = x * 0.9 + 0.8 * deep * np.sign(np.gradient(ndimage.gaussian_filter1d(skyline, 14)))[None, :]
        ravine = np.sin(fan / 27 + 1.8 * noise(SHAPE, 60, sheet.rng)) + 0.5 * noise(SHAPE, 14, sheet.rng, 0.5)
        sheet.wash(body * step(ravine, 0.35, 0.75), code, 0.55 * strength * low, 0.3, 0.25)
        crest = body * step(ravine, 0.5, 0.9) * step(deep, 170, 20)
        sheet.dry_brush(crest, INDIGO, 0.5 * strength, -0.35)
        trees(sheet, skyline, strength)


def trees(sheet: Sheet, skyline: Array, strength: float) -> None:
    """Small firs along a ridge, dabbed with the tip of the brush."""
    rng = sheet.rng
    dabs = []
    for centre in np.sort(rng.uniform(0, SHAPE[1], 46)):
        if np.sin(centre / 90 + strength * 9) < 0.1:
            continue
        base, tall = float(skyline[int(centre)]) + 6, rng.uniform(16, 36) * (0.5 + 0.6 * strength)
        dabs.append([(centre - tall * 0.24, base), (centre, base - tall), (centre + tall * 0.24, base)])
    if dabs:
        sheet.wash(shape_mask(SHAPE, dabs, 1.0), INDIGO, 0.7 * strength, 0.2)


def temple(sheet: Sheet) -> None:
    """A pagoda of three roofs in vermilion and sepia on the near shore, and its lantern light."""
    left, base = 930.0, 1076.0
    walls, roofs, shade = [], [], []
    for tier, wide in enumerate((92, 76, 60)):
        floor = base - tier * 82
        x = left + wide * np.array([-1.35, -0.8, -0.6, -0.56, -0.3, -0.12, 0.1, 0.56, 0.6])
        walls.append([(x[2], floor), (x[8], floor), (x[7], floor - 52), (x[3], floor - 52)])
        eaves = curve([(x[0], floor - 46), (x[1], floor - 56), (x[4], floor - 90)])
        roofs.append(eaves + [(2 * left - right, y) for right, y in eaves[::-1]] + [(left, floor - 50)])
        shade.append([(x[6], floor), (x[8], floor), (x[7], floor - 50), (x[6], floor - 50)])
        shade.append([(x[4], floor), (x[5], floor), (x[5], floor - 38), (x[4], floor - 38)])
    roofs.append([(left - 5, base - 240), (left, base - 330), (left + 5, base - 240)])
    whole = shape_mask(SHAPE, [*walls, *roofs], 1)
    sheet.mist(whole * 0.9)
    sheet.wash(shape_mask(SHAPE, walls, 1), VERMILION, 1.0, 0.5)
    sheet.wash(shape_mask(SHAPE, shade, 1), SEPIA, 0.8, 0.4)
    sheet.wash(shape_mask(SHAPE, roofs, 1), INDIGO, 1.25, 0.5)
    sheet.wash(shape_mask(SHAPE, roofs, 1), SEPIA, 0.35, 0.3)


def lake(sheet: Sheet) -> None:
    """Still water: the mountains and the temple upside down, wet in wet, streaked by a dry flat brush."""
    x, y = grid()
    depth = np.maximum(y - WATER, 0)
    wave = noise(SHAPE, 8, sheet.rng, 9)
    mirrored = (WATER - depth * 1.25 + 3 * wave, x + 5 * wave * (1 + depth / 150))
    image = np.stack(
        [ndimage.map_coordinates(sheet.density[..., c], mirrored, order=1, mode="nearest") for c in range(3)],
        -1,
    )
    image = ndimage.gaussian_filter(image, (7, 2.5, 0))
    water = step(y, WATER - 1, WATER + 1)[..., None]
    sheet.density = sheet.density * (1 - water) + image * 0.8 * water
    streaks = step(noise(SHAPE, 7, sheet.rng, 22) + 0.6 * noise(SHAPE, 40, sheet.rng, 4), 1.2, 1.7) * water[..., 0]
    sheet.mist(streaks * 0.6)
    sheet.wash(water[..., 0], SLATE, 0.25 + 0.0016 * depth, 0.3, 0.2)
    ripples = step(noise(SHAPE, 6, sheet.rng, 18) + 0.5 * noise(SHAPE, 60, sheet.rng, 3), 1.1, 1.6) * water[..., 0]
    sheet.dry_brush(ripples, INDIGO, 0.75, 0.1)
    shore = step(np.abs(y - WATER - 6 - 5 * np.sin(x / 90) - 5 * noise(SHAPE, 40, sheet.rng, 3)), 10, 5)
    sheet.dry_brush(shore, SEPIA, 0.9, 0.2)
    sheet.bloom(420, 1260, 80, 0.35)
    sheet.bloom(960, 1330, 95, 0.35)


def branch(
    start: tuple[float, float], angle: float, length: float, wide: float, rng: np.random.Generator
) -> tuple[list[Points], list[tuple[float, float]]]:
    """A branch that forks as it grows: its limbs as polygons, and where its leaves are."""
    end = (start[0] + length * np.cos(angle), start[1] + length * np.sin(angle))
    bend = (
        (start[0] + end[0]) / 2 + rng.normal(0, length * 0.09),
        (start[1] + end[1]) / 2 + rng.normal(0, length * 0.09),
    )
    side = (-np.sin(angle) * wide, np.cos(angle) * wide)
    there = curve(
        [
            (start[0] + side[0], start[1] + side[1]),
            (bend[0] + side[0] * 0.85, bend[1] + side[1] * 0.85),
            (end[0] + side[0] * 0.7, end[1] + side[1] * 0.7),
        ],
        per_span=6,
    )
    back = curve(
        [
            (end[0] - side[0] * 0.7, end[1] - side[1] * 0.7),
            (bend[0] - side[0] * 0.85, bend[1] - side[1] * 0.85),
            (start[0] - side[0], start[1] - side[1]),
        ],
        per_span=6,
    )
    limbs: list[Points] = [there + back]
    if length < 34:
        return limbs, [end, bend]
    leaves = [end] if length < 75 else []
    for turn in (rng.uniform(-0.75, -0.25), rng.uniform(0.2, 0.7)):
        more, tips = branch(end, angle + turn, length * rng.uniform(0.68, 0.82), wide * 0.68, rng)
        limbs += more
        leaves += tips
    return limbs, leaves


def near_bank(sheet: Sheet) -> None:
    """The grassy bank in front, and the maple on it."""
    rng = sheet.rng
    x, y = grid()
    bank = step(
        y - (1330 - 150 * np.exp(-((x / 330) ** 2)) + 40 * np.sin(x / 210) + ridge(SHAPE[1], 0, 9, 60, rng)),
        -2,
        2,
    )
    sheet.mist(bank * 0.96)
    sheet.wash(bank, OCHRE, 0.6, 0.5, 0.2)
    for shift, code, strength in ((-1.2, PINE, 0.75), (-0.1, PINE, 0.8), (1.1, INDIGO, 0.75)):
        tuft = clouds(SHAPE, 60, rng, 3, 3) + 0.7 * noise(SHAPE, 13, rng, 0.28) + (y - 1385) / 90 - shift
        sheet.wash(bank * step(tuft, -0.15, 0.15), code, strength, 0.7, 0.25)
    sheet.dry_brush(bank * step(noise(SHAPE, 12, rng, 0.4), 0.6, 1.2), SEPIA, 0.9, -0.1)
    maple(sheet)


def maple(sheet: Sheet) -> None:
    """The maple: dark limbs, then leaves in touches of the brush, from large and pale to small and strong."""
    rng = sheet.rng
    limbs, leaves = branch((88, 1330), -1.4, 236, 23, rng)
    sheet.wash(shape_mask(SHAPE, limbs, 0.8), SEPIA, 1.25, 0.7)
    sheet.dry_brush(shape_mask(SHAPE, limbs, 0.8) * step(noise(SHAPE, 16, rng, 0.5), -0.2, 0.6), INDIGO, 1.3, -0.1)
    for spread, size, code, strength, lift in LEAVES:
        dabs = []
        for leaf_x, leaf_y in leaves:
            for _ in range(3 if np.sin(leaf_x / 37) + np.sin(leaf_y / 29) > -0.75 else 0):
                centre_x, centre_y = leaf_x + rng.normal(0, spread), leaf_y + rng.normal(0, spread * 0.7)
                turns = np.linspace(0, 2 * np.pi, 9)[:-1] + rng.uniform(0, 1)
                reach = size * rng.uniform(0.5, 1.25, 8)
                dabs.append(
                    [
                        (centre_x + r * np.cos(t), centre_y + r * 0.8 * np.sin(t))
                        for r, t in zip(reach, turns, strict=True)
                    ]
                )
        touch = shape_mask(SHAPE, dabs, 1.0)
        sheet.mist(touch * lift)
        sheet.wash(touch, code, strength, 0.6)
    drops = [
        [(a + r * np.cos(t), b + r * np.sin(t)) for t in np.linspace(0, 6.28, 10)]
        for a, b, r in zip(
            rng.normal(360, 150, 60), rng.normal(900, 260, 60), rng.exponential(3, 60) + 1.5, strict=True
        )
    ]
    sheet.wash(shape_mask(SHAPE, drops, 0.7), VERMILION, 0.9, 0.6)


def paint(rng: np.random.Generator) -> Array:
    """Sky, ranges, temple, water and maple, from light to dark as one works in watercolour."""
    sheet = Sheet(rng)
    sky(sheet)
    mountains(sheet)
    temple(sheet)
    lake(sheet)
    near_bank(sheet)
    return halved(sheet.dried())
