"""Swirl: a windy night over a river, in thick strokes that turn with the air."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .brush import Brush, Scene, lit, paint_layer, primed
from .materials import Array, clouds, equalised, mix, pigment, ramp, ridge, shape_mask, step

SHAPE = (608, 768)
# Whirls of the air: x, y, radius in pixels, sense and speed.
WHIRLS = ((455, 178, 84, 1.5), (318, 262, 60, -1.35), (640, 300, 60, -1.0), (60, 330, 60, 0.8))
# Stars: x, y, radius of the glow.
STARS = (
    (300, 62, 30), (395, 48, 20), (560, 62, 33), (232, 168, 24), (700, 190, 24), (560, 262, 22),
    (52, 240, 20), (180, 300, 17), (735, 60, 18), (468, 318, 16), (40, 30, 16),
)  # fmt: skip
MOON = (128, 118, 38)
SHORE = 432.0


def air(x: Array, y: Array) -> tuple[Array, Array]:
    """Velocity of the air (two H W): a waving wind, the whirls, and a ring around every light."""
    bend = 0.5 * np.cos(x / 88 + 0.8) + 0.25 * np.sin(y / 60 + x / 140)
    u, v = np.ones_like(x), bend
    rings = [(*MOON[:2], MOON[2] * 2.1, 2.2)] + [(*star[:2], star[2] * 1.15, 2.0) for star in STARS]
    for centre_x, centre_y, radius, speed in (*WHIRLS, *rings):
        dx, dy = x - centre_x, y - centre_y
        far = np.hypot(dx, dy) / radius
        grip = np.exp(-(np.maximum(far - 0.75, 0) ** 2) * 1.6)
        turn = speed * grip / np.maximum(far * radius, 1)
        u, v = u * (1 - grip) - dy * turn, v * (1 - grip) + dx * turn
    return u, v


def smeared(values: Array, angle: Array, reach: int) -> Array:
    """Noise combed along the directions: the long bands of the sky."""
    total = values.copy()
    for sense in (1.0, -1.0):
        y, x = np.mgrid[0 : values.shape[0], 0 : values.shape[1]].astype(np.float32)
        for _ in range(reach):
            turn = ndimage.map_coordinates(angle, (y, x), order=0, mode="nearest")
            x, y = x + 3 * sense * np.cos(turn), y + 3 * sense * np.sin(turn)
            total += ndimage.map_coordinates(values, (y, x), order=1, mode="reflect")
    return total


def sky(x: Array, y: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Colour and direction of the sky: combed bands of blue, spirals in the whirls, glowing lights."""
    u, v = air(x, y)
    angle = np.arctan2(v, u).astype(np.float32)
    tone = smeared(clouds(SHAPE, 26, rng, 3), angle, 16)
    tone = tone / tone.std() + 0.5 * np.sin(y / 42 + np.sin(x / 95) * 1.2)
    for centre_x, centre_y, radius, _ in WHIRLS:
        dx, dy = x - centre_x, y - centre_y
        far = np.hypot(dx, dy) / radius
        arms = np.sin(np.arctan2(dy, dx) + 9 * np.sqrt(far))
        tone = tone * (1 - 0.7 * np.exp(-(far**2))) + 2.0 * arms * np.exp(-((far / 1.15) ** 2))
    tone = equalised(tone + 0.9 * (y / SHORE - 0.5))
    colour = ramp(tone, "0b1440 142468 1c3f96 2a63b5 4b93c4 8fc4cf d7e3c4")
    for centre_x, centre_y, radius in STARS:
        far = np.hypot(x - centre_x, y - centre_y) / radius
        glow = ramp(np.clip(far / 1.35, 0, 1), "fffbe0 fdf08f f6cf45 c9cf78 6fb0a8 2f6cae")
        ring = 0.82 + 0.18 * np.sin(far * 13)
        colour = mix(colour, glow * ring[..., None], step(far, 1.35, 0.9))
    return moonlit(colour, x, y), angle


def moonlit(colour: Array, x: Array, y: Array) -> Array:
    """The moon: a warm crescent on rings of ochre, lemon and turquoise."""
    far = np.hypot(x - MOON[0], y - MOON[1]) / MOON[2]
    halo = ramp(np.clip((far - 0.5) / 2.0, 0, 1), "e2a83a f6cf58 fbe88a b9d08c 74b3a6 2d68ac")
    halo *= (0.87 + 0.13 * np.sin(far * 10))[..., None]
    colour = mix(colour, halo, step(far, 2.5, 1.7))
    bite = np.hypot(x - MOON[0] - 20, y - MOON[1] + 7) / (MOON[2] * 0.82)
    crescent = step(far, 1.03, 0.95) * step(bite, 0.94, 1.04)
    return mix(colour, np.broadcast_to(pigment("f0731a"), colour.shape), crescent)


def village(colour: Array, angle: Array, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Hills behind the river, trees, and a village with lit windows; also where detail is needed."""
    height, width = SHAPE
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    detail = np.zeros(SHAPE, np.float32)
    for level, swing, codes in ((352, 15, "3a5fa5 23407f 16295c"), (388, 9, "2f7080 1d4a5e 12283f")):
        skyline = ridge(width, level, swing, 130, rng) - 26 * np.exp(-(((x[0] - 610) / 150) ** 2))
        below = step(y - skyline, -1, 1)
        form = np.clip((y - skyline) / 60 + 0.18 * clouds(SHAPE, 14, rng), 0, 1)
        colour = mix(colour, ramp(form, codes), below)
        slope = np.arctan(np.gradient(ndimage.gaussian_filter1d(skyline, 6)))
        angle = np.where(below > 0.5, slope[None, :] * 0.9 + 0.3 * np.sin(x / 40), angle).astype(np.float32)
    for centre in (20, 64, 130, 210, 372, 395, 520, 560, 700):
        size = rng.uniform(13, 24)
        far = np.hypot(x - centre, (y - 424) * 0.85) / size
        tree = step(far + 0.12 * clouds(SHAPE, 9, rng), 1.05, 0.9)
        leaf = np.clip(0.55 - (x - centre + 424 - y) / size / 3 + 0.2 * clouds(SHAPE, 6, rng), 0, 1)
        colour = mix(colour, ramp(leaf, "10202c 1b4440 3b7350 86a35c"), tree)
        angle = np.where(tree > 0.5, np.arctan2(y - 424, x - centre) + 1.8, angle)
    for left in (96, 166, 238, 272, 318, 344, 432, 470, 604, 646):
        colour, detail = house(colour, detail, left, rng)
    return colour, angle.astype(np.float32), detail


def house(colour: Array, detail: Array, left: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """One house of the village (the tall one has a spire): wall, roof, lit windows."""
    wide, tall = rng.uniform(24, 38), rng.uniform(13, 20)
    base = SHORE - rng.uniform(0, 4)
    eaves, ridge_top = base - tall, base - tall - rng.uniform(11, 16)
    wall = [(left, base), (left, eaves), (left + wide, eaves), (left + wide, base)]
    roof = [
        (left - 3, eaves),
        (left + wide * 0.3, ridge_top),
        (left + wide * 0.8, ridge_top),
        (left + wide + 3, eaves),
    ]
    if left == 318:
        roof = [(left - 2, eaves), (left + wide / 2, eaves - 84), (left + wide + 2, eaves)]
    tiles = ("b0482c", "b0482c", "b0482c") if left == 318 else ("7c3b33", "28305a", "a5532f")
    for shape, code in ((wall, ("3d5788", "56689a", "2c3f70")), (roof, tiles)):
        cover = shape_mask(SHAPE, [shape])
        colour = mix(colour, np.broadcast_to(pigment(code[rng.integers(3)]), colour.shape), cover)
        detail = np.maximum(detail, ndimage.maximum_filter(cover, 5))
    for place in (0.25, 0.68):
        x, y = left + wide * place, eaves + tall * 0.3
        pane = shape_mask(SHAPE, [[(x - 3, y), (x + 3, y), (x + 3, y + 8), (x - 3, y + 8)]])
        colour = mix(colour, np.broadcast_to(pigment("ffd23a"), colour.shape), pane)
    return colour, detail


def river(colour: Array, angle: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """The river: the night upside down, darker, broken into long level strokes."""
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(np.float32)
    ripple = clouds(SHAPE, 7, rng, 3, stretch=6)
    depth = np.maximum(y - SHORE, 0)
    mirrored = SHORE - depth * 1.9 - 6 + ripple * (1 + depth * 0.1)
    shifted = x + ripple * 3
    image = np.stack(
        [ndimage.map_coordinates(colour[..., c], (mirrored, shifted), order=1, mode="nearest") for c in range(3)],
        -1,
    )
    image = image * np.array([0.72, 0.8, 0.86], np.float32) * (0.95 + 0.13 * ripple[..., None])
    lamps = np.zeros(SHAPE, np.float32)
    for lamp in (104, 178, 250, 282, 330, 352, 444, 482, 614, 658):
        spread = 3 + depth * 0.06
        lamps += np.exp(-(((x - lamp - 2 * ripple) / spread) ** 2)) * np.exp(-depth / 70) * (ripple > -0.3)
    image = mix(image, ramp(np.clip(depth / 110, 0, 1), "ffd84a f0a02e b5702f"), np.clip(lamps, 0, 0.95))
    water = step(y - SHORE, -1, 1)
    level = 0.10 * np.sin(x / 60 + y / 11) + 0.12 * noise_level(x, y)
    return mix(colour, image, water), np.where(water > 0.5, level, angle).astype(np.float32)


def noise_level(x: Array, y: Array) -> Array:
    """Slow unevenness of the water's strokes."""
    return np.sin(x / 31 - y / 9)


def cypress(colour: Array, angle: Array, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Two dark trees that burn upwards on the near bank at the right, and the bank."""
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(np.float32)
    bank = 556 + 26 * np.sin(x[0] / 190 + 2.2) + ridge(SHAPE[1], 0, 5, 30, rng)
    ground = step(y - bank, -2, 2)
    grass = np.clip(0.5 + 0.28 * clouds(SHAPE, 12, rng) - (y - bank) / 130, 0, 1)
    colour = mix(colour, ramp(grass, "0c1626 17333a 3f5a38 8d8a3e c9b25a"), ground)
    angle = np.where(ground > 0.5, -0.5 + 0.5 * np.sin(x / 50), angle)
    cover = np.zeros(SHAPE, np.float32)
    for root, top, wide in ((662, 92, 46), (722, 230, 34)):
        climb = np.clip((585 - y) / (585 - top), 0, 1.2)
        sway = root + 12 * np.sin(climb * 5.5) * climb
        edge = wide * np.clip(1 - climb, 0, 1) ** 0.62 * (0.8 + 0.28 * np.sin(climb * 21 + x / 40))
        flame = step(np.abs(x - sway) / np.maximum(edge, 0.1), 1.08, 0.9) * (climb < 1)
        tongue = np.sin((x - sway) / 7 + climb * 26) + 0.8 * clouds(SHAPE, 14, rng)
        tone = np.clip(0.36 + 0.2 * tongue - 0.3 * (x - sway) / wide, 0, 1)
        colour = mix(colour, ramp(tone, "080c18 10231f 1d3d2b 41592c 8a7a34"), flame)
        angle = np.where(flame > 0.5, -np.pi / 2 + 0.55 * np.sin(climb * 22 + (x - sway) / 18), angle)
        cover = np.maximum(cover, flame)
    return colour, angle.astype(np.float32), cover


def paint(rng: np.random.Generator) -> Array:
    """Sky, village, river and trees as a scene, then four brushes from broad to fine, and raking light."""
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(np.float32)
    colour, angle = sky(x, y, rng)
    colour, angle, houses = village(colour, angle, rng)
    colour, angle = river(colour, angle, rng)
    colour, angle, trees = cypress(colour, angle, rng)
    edges = np.linalg.norm(ndimage.gaussian_gradient_magnitude(colour, (1.2, 1.2, 0)), axis=-1)
    detail = np.clip(np.maximum(np.maximum(houses * 1.1, trees * 0.75), edges * 9), 0, 1)
    scene = Scene(colour.astype(np.float32), angle, ndimage.gaussian_filter(detail, 2).astype(np.float32))
    canvas = primed(SHAPE, pigment("3a3f58"), rng)
    paint_layer(canvas, scene, Brush(22, 70, spacing=0.7, dry=0.1, streak=0.05, hue_jitter=0.018))
    paint_layer(
        canvas,
        scene,
        Brush(11, 48, spacing=0.8, streak=0.08, light_jitter=0.05, tolerance=0.16, hue_jitter=0.018),
    )
    fine = {"hue_jitter": 0.018, "streak": 0.08, "load": 1.4, "dry": 0.35}
    paint_layer(canvas, scene, Brush(7, 32, spacing=1.05, light_jitter=0.06, tolerance=0.14, **fine))
    paint_layer(canvas, scene, Brush(4, 17, need=0.42, tolerance=0.1, **fine))
    return lit(canvas, 0.7)
