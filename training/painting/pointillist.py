"""Pointillist: poplars by a river at evening, in dots of pure colour that the eye mixes."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .brush import Brush, Scene, lit, paint_layer, primed
from .materials import Array, Points, clouds, curve, mix, pigment, ramp, ridge, shape_mask, step

SHAPE = (600, 768)
SUN = (508.0, 236.0)
# Poplars: x, height and half width of the crown.
POPLARS = (
    (24, 318, 44),
    (108, 262, 36),
    (176, 214, 29),
    (230, 176, 23),
    (274, 144, 19),
    (308, 118, 15),
    (336, 98, 12),
    (359, 82, 10),
)


def grid() -> tuple[Array, Array]:
    """Pixel coordinates x and y (H W)."""
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(np.float32)
    return x, y


def waterline(x: Array) -> Array:
    """Where the far bank meets the river: it comes nearer at the left."""
    return 318 + np.maximum(0, 410 - x) * 0.14


def sky(rng: np.random.Generator) -> tuple[Array, Array]:
    """Evening sky: violet above, gold at the sun, bands of cloud lit from below."""
    x, y = grid()
    far = np.hypot((x - SUN[0]) * 0.8, (y - SUN[1]) * 1.25)
    tone = np.clip(0.16 + y / 400 + 0.34 * np.exp(-far / 150), 0, 1)
    colour = ramp(tone, "2f4a9c 4a6fc0 7f8fd0 c09ccb efa6a4 f8bd79 fcdc86 fff3b8")
    band = clouds(SHAPE, 34, rng, 4, stretch=4.5) + 0.7 * np.sin(y / 34 + x / 260)
    cover = step(band, 0.35, 1.5) * step(y, 285, 200) * 0.85
    under = np.clip(0.5 + np.gradient(ndimage.gaussian_filter(band, 3), axis=0) * -9 + 0.25 * np.exp(-far / 200), 0, 1)
    colour = mix(colour, ramp(under, "5a55a8 8d6fb8 d98aa6 f7a06a ffd27a"), cover)
    disc = step(far, 25, 21)
    colour = mix(colour, np.broadcast_to(pigment("fffbe2"), colour.shape), disc)
    rings = np.arctan2((x - SUN[0]) * 0.8, -(y - SUN[1]) * 1.25)
    angle = np.where(far < 95, rings, 0.12 * np.sin(x / 80 + y / 30))
    return colour, angle.astype(np.float32)


def far_bank(colour: Array, angle: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Blue hills, a low wood beyond the river, and the meadow of the far bank."""
    x, y = grid()
    for level, swing, cell, codes in (
        (268, 13, 150, "8f86c4 6f6db8 56589f"),
        (296, 9, 46, "6f7fb8 3d5f86 28446e 203a5c"),
    ):
        skyline = ridge(SHAPE[1], level, swing, cell, rng)
        form = np.clip((y - skyline) / 34 + 0.16 * clouds(SHAPE, 10, rng), 0, 1)
        near_sun = np.exp(-(((x - SUN[0]) / 120) ** 2))[..., None] * pigment("f59a6a")
        body = ramp(form, codes) * 0.95 + 0.3 * near_sun
        below = step(y - skyline, -1, 1)
        colour = mix(colour, np.clip(body, 0, 1), below)
        angle = np.where(below > 0.5, 0.8 * np.sin(x / 23), angle)
    meadow = step(y - (waterline(x) - 10 - np.maximum(0, 400 - x) * 0.05), -1, 1)
    grass = np.clip(0.5 + 0.25 * clouds(SHAPE, 9, rng, stretch=3) + (x - 300) / 900, 0, 1)
    colour = mix(colour, ramp(grass, "1f4f4a 2f7a4c 7aa63e d8c548 f5d96a"), meadow)
    return colour, np.where(meadow > 0.5, 0.1, angle).astype(np.float32)


def poplars(colour: Array, angle: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """The row of poplars: tall crowns of leaf clumps, gold towards the sun and blue away from it."""
    x, y = grid()
    ragged, clump = clouds(SHAPE, 16, rng, 4), clouds(SHAPE, 11, rng, 3)
    for centre, height, wide in POPLARS[::-1]:
        base = float(waterline(np.float32(centre))) - 3
        climb = np.clip((base - y) / height, -0.2, 1.2)
        outline = wide * np.clip(np.sin(np.pi * np.clip(climb * 0.93 + 0.07, 0, 1) ** 0.72), 0, 1) ** 0.8
        across = (x - centre) / np.maximum(outline, 0.5)
        crown = step(np.abs(across) + 0.22 * ragged, 1.06, 0.92) * (climb > 0.07) * (climb < 1.0)
        light = np.clip(0.42 + 0.38 * across + 0.2 * clump + 0.14 * (climb - 0.5), 0, 1)
        colour = mix(colour, ramp(light, "0e1744 17306a 1a5a58 3d8640 9cae34 f0b838 fbdc70"), crown)
        angle = np.where(crown > 0.5, -np.pi / 2 + 0.6 * across, angle)
        trunk = step(np.abs(x - centre), wide * 0.11 + 1, wide * 0.08) * (climb >= 0) * (climb < 0.1)
        colour = mix(colour, np.broadcast_to(pigment("3a2a58"), colour.shape), trunk)
    return colour, angle.astype(np.float32)


def boat(colour: Array) -> Array:
    """A sailing boat on the river, its sail warm at one side."""
    sail = shape_mask(SHAPE, [[*curve([(602, 232), (620, 280), (640, 322)]), (600, 324)]], 0.5)
    jib = shape_mask(SHAPE, [[(597, 240), (597, 322), (574, 320)]], 0.5)
    hull = shape_mask(SHAPE, [[(568, 328), (650, 327), (638, 341), (580, 341)]], 0.5)
    x, y = grid()
    warm = ramp(np.clip((634 - x) / 38 + (y - 300) / 300, 0, 1), "5a5aa8 8f86c8 e8dcec fff6dc")
    colour = mix(mix(colour, warm, sail), warm * pigment("fff0d0"), jib)
    return mix(colour, np.broadcast_to(pigment("7a2440"), colour.shape), hull)


def river(colour: Array, angle: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """The river mirrors the bank, broken by level ripples, with the sun's path on it."""
    x, y = grid()
    depth = np.maximum(y - waterline(x), 0)
    ripple = clouds(SHAPE, 6, rng, 3, stretch=7)
    source = (waterline(x) - depth * 1.12 - 2 + ripple * (1 + depth * 0.05), x + ripple * 3)
    image = np.stack([ndimage.map_coordinates(colour[..., c], source, order=1, mode="nearest") for c in range(3)], -1)
    image = image * np.array([0.9, 0.88, 0.98], np.float32) * (0.97 + 0.08 * ripple[..., None])
    cool = ramp(np.clip(depth / 190, 0, 1), "f2ae86 d98ab4 8f7fd0 4a60b8")
    light = 0.25 + 0.75 * step(image.mean(-1), 0.3, 0.6)
    image = mix(image, cool, light * np.clip(0.3 + depth / 700 + 0.12 * ripple, 0, 0.65))
    glitter = np.exp(-(((x - SUN[0] + 6 * ripple) / (9 + depth * 0.16)) ** 2)) * step(ripple, -0.5, 0.6)
    image = mix(image, ramp(np.clip(depth / 200, 0, 1), "fff3b0 ffcf6a f79a5a"), np.clip(glitter, 0, 0.9))
    water = step(y - waterline(x), -1, 1)
    hull = 328 + 14
    sail = np.exp(-(((x - 612 - 4 * ripple) / 20) ** 2)) * step(y, hull - 2, hull + 2) * np.exp(-(y - hull) / 55)
    image = mix(image, np.broadcast_to(pigment("f3dcd0"), image.shape), np.clip(sail * (ripple > -0.4), 0, 0.8))
    return mix(colour, image, water), np.where(water > 0.5, 0.06 * np.sin(x / 40 + y / 9), angle).astype(np.float32)


def near_bank(colour: Array, angle: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """The near bank: grass in shadow and light, sown with poppies and daisies; a walker with a parasol."""
    x, y = grid()
    edge = 536 - 74 * np.clip((x - 420) / 348, 0, 1) ** 1.4 - 18 * np.cos(x / 130) + ridge(SHAPE[1], 0, 4, 22, rng)
    bank = step(y - edge, -2, 2)
    light = np.clip(0.42 + 0.22 * clouds(SHAPE, 22, rng, 3, 2) + 0.25 * step(y - edge, 50, 0), 0, 1)
    colour = mix(colour, ramp(light, "1a2558 1f4a66 25704f 5c9a3c b9bf3e f2d75c"), bank)
    flower = noise_peaks(rng)
    colour = mix(colour, np.broadcast_to(pigment("e8352f"), colour.shape), bank * flower[0])
    colour = mix(colour, np.broadcast_to(pigment("fff6e8"), colour.shape), bank * flower[1])
    angle = np.where(bank > 0.5, -np.pi / 2 + 0.5 * np.sin(x / 37), angle)
    return walker(colour), angle.astype(np.float32)


def noise_peaks(rng: np.random.Generator) -> tuple[Array, Array]:
    """Two kinds of flowers in drifts: masks of small spots."""
    spots = [step(clouds(SHAPE, 7, rng, 1) + 0.6 * clouds(SHAPE, 60, rng, 2), 1.75, 2.1) for _ in range(2)]
    return spots[0], spots[1]


def walker(colour: Array) -> Array:
    """A woman in a blue dress under an orange parasol, at the water's edge."""
    parts: tuple[tuple[str, Points], ...] = (
        ("27306f", curve([(-7, -54), (-20, 0), (24, 0), (8, -54)])),
        ("3b4aa0", [(4, -50), (22, 0), (8, 0)]),
        ("9a3a5c", curve([(-7, -54), (-8, -78), (7, -78), (8, -54)])),
        ("f0bfa0", curve([(-6, -88), (0, -94), (6, -88), (0, -78)], True)),
        ("3a2040", [(-9, -90), (0, -102), (9, -90)]),
        ("4a2a3a", [(6, -62), (19, -118), (21, -117), (9, -60)]),
        ("f2702a", curve([(-26, -96), (-8, -124), (22, -130), (52, -108)])),
        ("ffd06a", curve([(-16, -103), (-4, -123), (20, -129), (8, -104)])),
    )
    for code, outline in parts:
        cover = shape_mask(SHAPE, [[(676 + x, 522 + y) for x, y in outline]], 0.4)
        colour = mix(colour, np.broadcast_to(pigment(code), colour.shape), cover)
    return colour


def divided(lab: Array, rng: np.random.Generator) -> Array:
    """Divide each colour into pure ones: stronger, turned in hue, some (in shade) complementary."""
    pure = lab.copy()
    turn = rng.choice([-0.6, -0.3, 0.0, 0.0, 0.3, 0.6], len(lab)) + rng.normal(0, 0.12, len(lab))
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    hue = np.arctan2(lab[:, 2], lab[:, 1]) + turn
    opposite = rng.random(len(lab)) < 0.12 - 0.09 * lab[:, 0]
    strong = np.where(opposite, -0.9 * chroma - 0.03, np.minimum(chroma * 1.4 + 0.015, 0.22))
    pure[:, 1], pure[:, 2] = strong * np.cos(hue), strong * np.sin(hue)
    pure[:, 0] += rng.normal(0, 0.035, len(lab)) + np.where(opposite, 0.03, 0)
    return np.clip(pure, [0.12, -0.4, -0.4], [0.98, 0.4, 0.4]).astype(np.float32)


def paint(rng: np.random.Generator) -> Array:
    """The river scene in three layers of dots, each smaller, slightly long along the forms."""
    colour, angle = sky(rng)
    colour, angle = poplars(*far_bank(colour, angle, rng), rng)
    colour, angle = river(colour, angle, rng)
    colour, angle = near_bank(boat(colour), angle, rng)
    edges = np.linalg.norm(ndimage.gaussian_gradient_magnitude(colour, (1.5, 1.5, 0)), axis=-1)
    detail = np.clip(ndimage.gaussian_filter(edges, 2) * 12, 0, 1).astype(np.float32)
    scene = Scene(colour.astype(np.float32), angle, detail)
    canvas = primed(SHAPE, pigment("d9c7a4"), rng)
    dots = {"streak": 0.015, "dry": 0.0, "light_jitter": 0.02, "hue_jitter": 0.012, "tolerance": 9.0}
    paint_layer(canvas, scene, Brush(17, 24, spacing=0.62, **dots), divided)
    paint_layer(canvas, scene, Brush(10, 12.5, spacing=0.85, **dots), divided)
    paint_layer(canvas, scene, Brush(7.2, 8.6, spacing=0.98, **dots), divided)
    paint_layer(canvas, scene, Brush(4.6, 5.6, spacing=0.9, need=0.3, **dots), divided)
    return lit(canvas, 0.45)
