"""Cubist: guitar, bottle, glass and fruit on a table, broken into shifted planes with black contours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .brush import Brush, Scene, lit, paint_layer, primed
from .materials import Array, Points, clouds, curve, equalised, mix, pigment, ramp, shape_mask, step

SHAPE = (736, 592)
PLANES = 54


@dataclass(frozen=True)
class Thing:
    """One thing of the still life: its outline and its pigments from shadow to light."""

    outline: Points
    codes: str


def guitar() -> list[Thing]:
    """A guitar leaning to the right: body, sound hole, bridge, neck, strings, head."""
    body = curve(
        [(170, 640), (120, 560), (160, 490), (205, 455), (200, 395), (255, 335), (335, 345),
         (372, 415), (352, 470), (385, 530), (370, 620), (285, 668)], closed=True,
    )  # fmt: skip
    side = [(x + 20, y + 13) for x, y in body]
    neck: Points = [(300, 372), (418, 110), (450, 122), (336, 386)]
    head: Points = [(414, 112), (430, 52), (478, 64), (452, 126)]
    hole = [(281 + 38 * np.cos(t), 470 + 38 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 40)]
    rose = [(281 + 50 * np.cos(t), 470 + 50 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 40)]
    bridge: Points = [(196, 566), (272, 600), (266, 616), (190, 582)]
    things = [
        Thing(side, "2a1710 4a2617 6b3a1f"),
        Thing(body, "6e3d1c b06a2a dc9c48 f3cf86"),
        Thing(rose, "8a3a20 c2542a e08a4a"),
        Thing(hole, "0d0a0c 1d1416 33221c"),
        Thing(neck, "2c1c1a 54382a 8a6244"),
        Thing(head, "4c2c1c 7c4a28 b57a3c"),
        Thing(bridge, "1c1214 33201a 4a3022"),
    ]
    for shift in (0.0, 9.0, 18.0):
        things.append(
            Thing(
                [
                    (228 + shift, 584 + shift * 0.45),
                    (424 + shift, 112),
                    (426 + shift, 112),
                    (230.5 + shift, 585),
                ],
                "c9b487 f2e6c0 fff8e0",
            )
        )
    return things


def table() -> list[Thing]:
    """Wall, window, table, cloth, newspaper, bottle, glass, fruit: back to front."""
    bottle = curve([(80, 560), (76, 400), (84, 330), (112, 290), (116, 190)], per_span=10)
    bottle += [(116, 180), (148, 180)]
    bottle += curve([(148, 190), (152, 290), (180, 330), (188, 400), (184, 560)], per_span=10)
    glass: Points = [(436, 430), (540, 430), (514, 536), (496, 552), (496, 618)]
    glass = [*glass, (530, 636), (446, 636), (482, 618), (482, 552), (464, 536)]
    wine: Points = [(445, 468), (531, 468), (514, 534), (494, 548), (484, 548), (464, 534)]
    label: Points = [(82, 420), (186, 420), (186, 500), (80, 500)]
    paper: Points = [(330, 590), (520, 540), (580, 668), (380, 720)]
    cloth: Points = [(0, 600), (190, 570), (330, 640), (300, 736), (0, 736)]
    pear = curve([(420, 700), (396, 668), (410, 636), (426, 610), (440, 606), (456, 634), (474, 664), (456, 702)], True)
    apple = [(356 + 36 * np.cos(t), 686 + 33 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 40)]
    return [
        Thing([(0, 0), (592, 0), (592, 736), (0, 736)], "3d4447 6b7472 98a098 c9c8b4"),
        Thing([(0, 0), (210, 0), (180, 330), (0, 380)], "1d3e46 2f6468 5f9490 a9c4b4"),
        Thing([(26, 30), (176, 24), (156, 270), (26, 310)], "4a7f8c 86b3b4 d2ddcc f1efdc"),
        Thing([(94, 20), (104, 20), (98, 300), (90, 300)], "1c2a2e 2b3c40 44565a"),
        Thing([(480, 0), (592, 0), (592, 420), (500, 400)], "4a2018 7c3420 a5502f cf8656"),
        Thing([(0, 520), (592, 470), (592, 736), (0, 736)], "33211a 5c3a26 8c5c38 b88a58"),
        Thing(cloth, "8f9690 c2c4b6 e6e2d0 fbf7e6"),
        Thing(paper, "a89f88 d4c9ae eee5cc fbf5e2"),
        Thing(bottle, "0b1f1e 143a36 22605a 5a9c8a"),
        Thing(label, "b58f4c dcc084 f4e6bc"),
        *guitar(),
        Thing(glass, "5a7a80 9ab4b4 d5e0d8 f4f6ec"),
        Thing(wine, "3a0c18 741a28 b03a3a"),
        Thing(apple, "4a1014 92241c cc4a2a f0a050"),
        Thing(pear, "4a5420 848a30 c4b844 f2e08c"),
    ]


def planes(rng: np.random.Generator) -> tuple[Array, list[tuple[float, float]]]:
    """Break the canvas by slanting cuts, the largest piece first, into planes; labels and centres."""
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(np.float32)
    label = np.zeros(SHAPE, np.int32)
    slants = np.deg2rad([18, 62, 108, 152, 80, 34])
    for count in range(1, PLANES):
        areas = np.bincount(label.ravel()).astype(float)
        piece = int(np.argmax(areas * rng.uniform(0.6, 1.4, len(areas))))
        inside = label == piece
        spread_x, spread_y = x[inside].std(), y[inside].std()
        centre = x[inside].mean() + rng.normal(0, 10), y[inside].mean() + rng.normal(0, 10)
        slant = rng.choice(slants) + rng.normal(0, 0.08)
        if spread_y > 1.5 * spread_x or spread_x > 1.5 * spread_y:
            slant = (0.0 if spread_y > spread_x else np.pi / 2) + rng.normal(0, 0.35)
        side = (x - centre[0]) * -np.sin(slant) + (y - centre[1]) * np.cos(slant)
        label[inside & (side > 0)] = count
    centres = ndimage.center_of_mass(np.ones(SHAPE), label, range(PLANES))
    return label.astype(np.float32), [(float(b), float(a)) for a, b in centres]


def seen_from_many_sides(rng: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """Where each plane looks: sampling x and y, the plane's stroke direction, and its light (H W each)."""
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(np.float32)
    label, centres = planes(rng)
    look_x, look_y, angle, light = (
        x.copy(),
        y.copy(),
        np.zeros(SHAPE, np.float32),
        np.zeros(SHAPE, np.float32),
    )
    for index, (centre_x, centre_y) in enumerate(centres):
        inside = label == index
        turn, zoom = rng.normal(0, 0.11), rng.uniform(0.86, 1.08)
        dx, dy = x[inside] - centre_x, y[inside] - centre_y
        look_x[inside] = centre_x + rng.normal(0, 11) + zoom * (dx * np.cos(turn) - dy * np.sin(turn))
        look_y[inside] = centre_y + rng.normal(0, 11) + zoom * (dx * np.sin(turn) + dy * np.cos(turn))
        fall = rng.uniform(0, 2 * np.pi)
        run = dx * np.cos(fall) + dy * np.sin(fall)
        light[inside] = (run - run.min()) / (np.ptp(run) + 1) + rng.normal(0, 0.16)
        angle[inside] = fall + np.pi / 2 + rng.choice([0.0, 0.5])
    return look_x, look_y, angle, np.clip(light, 0, 1)


def contours(things: Array, planes_edge: Array, rng: np.random.Generator) -> Array:
    """Black drawing: around every thing, and along parts of the planes' edges; thick and thin."""
    touch = np.clip(0.75 + 0.45 * clouds(SHAPE, 40, rng), 0.1, 1.4)
    thing_line = ndimage.gaussian_filter(things, 1.3) * 3.0
    plane_line = ndimage.gaussian_filter(planes_edge, 1.0) * 2.1 * step(clouds(SHAPE, 70, rng), -0.7, 0.4)
    return np.clip(np.maximum(thing_line * touch, plane_line * touch), 0, 1)


def changes(values: Array) -> Array:
    """1 where a label differs from its right or lower neighbour."""
    edge = np.zeros(values.shape, bool)
    edge[:, 1:] |= values[:, 1:] != values[:, :-1]
    edge[1:] |= values[1:] != values[:-1]
    return edge.astype(np.float32)


def newsprint(colour: Array, look: tuple[Array, Array], paper: Array) -> Array:
    """Rows of grey type on the newspaper, seen through the same planes."""
    x, y = look
    down, across = y + 0.263 * x, x - 0.263 * y
    rows = (np.mod(down, 9) < 4.2) & (np.sin(across / 3.7 + np.floor(down / 9) * 2.1) > -0.55)
    gutter = np.mod(across, 74) > 8
    return mix(colour, np.broadcast_to(pigment("4a463e"), colour.shape), paper * rows * gutter * 0.75)


def paint(rng: np.random.Generator) -> Array:
    """The still life through its planes; broad strokes along each plane, hatching, then black contours."""
    look_x, look_y, angle, light = seen_from_many_sides(rng)
    things, colour = np.zeros(SHAPE, np.float32), np.zeros((*SHAPE, 3), np.float32)
    shade = np.clip(0.85 * light + 0.24 * equalised(clouds(SHAPE, 90, rng)) - 0.04, 0, 1)
    shade = 0.5 * shade + 0.5 * step(shade, 0.08, 0.9)
    for index, thing in enumerate(table()):
        cover = ndimage.map_coordinates(
            shape_mask(SHAPE, [thing.outline], 0), (look_y, look_x), order=1, mode="nearest"
        )
        colour = mix(colour, ramp(shade, thing.codes), cover)
        things[cover > 0.5] = index
    colour = newsprint(colour, (look_x, look_y), (things == 7).astype(np.float32))
    hatch = np.sin((look_x * np.cos(angle + np.pi / 2) + look_y * np.sin(angle + np.pi / 2)) * 0.62)
    colour = colour * (1 - 0.16 * (step(hatch, 0.1, 0.7) * step(light, 0.75, 0.1))[..., None])
    line = contours(changes(things), changes(light * 0 + np.floor(angle * 1e4)), rng)
    colour = mix(colour, np.broadcast_to(pigment("100c10"), colour.shape), line)
    blurred = ndimage.gaussian_filter(line, 2.2)
    along = np.arctan2(ndimage.sobel(blurred, 0), ndimage.sobel(blurred, 1)) + np.pi / 2
    angle = np.where(ndimage.gaussian_filter(line, 1.5) > 0.2, along, angle).astype(np.float32)
    detail = np.clip(ndimage.maximum_filter(line, 3), 0, 1)
    scene = Scene(colour.astype(np.float32), angle, detail)
    canvas = primed(SHAPE, pigment("6f5a44"), rng)
    paint_layer(canvas, scene, Brush(20, 52, spacing=0.62, dry=0.1, tolerance=0.3))
    paint_layer(canvas, scene, Brush(9, 26, spacing=0.72, tolerance=0.12, hue_jitter=0.013, streak=0.06))
    paint_layer(canvas, scene, Brush(5, 17, spacing=0.9, tolerance=0.12, hue_jitter=0.011, streak=0.05, wander=0.08))
    paint_layer(canvas, scene, Brush(3, 13, spacing=0.8, need=0.35, tolerance=0.14, hue_jitter=0.008, dry=0.1))
    return lit(canvas, 0.45)
