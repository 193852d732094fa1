"""Mosaic: a peacock in a braided border, laid in stone, glass and gold along the forms."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .materials import (
    Array,
    Points,
    clouds,
    curve,
    halved,
    mix,
    noise,
    ramp,
    shape_mask,
    step,
)
from .tesserae import SIDE, Cartoon, grid, laid, stone_colours

FRAME = 104.0
LIMIT = 1.9  # half the angle of the fan
HEART = (704.0, 905.0)  # where the feathers spring from


def outline_angle(mask: Array) -> Array:
    """Direction of the rows that follow an outline, inside and outside of it."""
    away = ndimage.distance_transform_edt(~mask[::2, ::2]) - ndimage.distance_transform_edt(mask[::2, ::2])
    smooth = ndimage.gaussian_filter(away, 9)
    angle = np.arctan2(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1)) + np.pi / 2
    return np.repeat(np.repeat(angle, 2, 0), 2, 1).astype(np.float32)


def fan_shape() -> tuple[Array, Array, Array]:
    """The scalloped fan of the tail (mask), with distance and turn from the heart of every pixel."""
    x, y = grid()
    dx, dy = x - HEART[0], y - HEART[1]
    far, turn = np.hypot(dx, dy), np.arctan2(dx, -dy)
    scallop = (658 - 24 * np.abs(np.sin(turn * 9.82))) * (1 - 0.115 * np.sin(np.minimum(np.abs(turn), 1.57)) ** 2)
    return (far < scallop) & (np.abs(turn) < LIMIT), far, turn


def feathers(cartoon: Cartoon, fan: Array, far: Array, turn: Array) -> None:
    """The fan: green barbs with rows of eyes, each eye rings of bronze, gold, turquoise and lapis."""
    spine = np.abs(np.sin(turn * 19.6))
    tone = np.clip(0.25 + far / 1100 + 0.25 * spine + 0.05 * np.sin(far / 20), 0, 1)
    cartoon.fill(fan, 2, (tone, "0d2a2c 124a42 1f7050 5f9a4a b9b658"), turn + np.pi / 2, 14)
    rows = ((205, 9, 0.0, 30), (298, 11, 0.5, 38), (398, 13, 0.0, 46), (506, 13, 0.5, 54), (604, 13, 0.0, 50))
    for radius, count, shift, size in rows:
        spread = (np.arange(count + 1) - count / 2 + shift - 0.5 * (shift == 0)) * (3.55 / count)
        for lean in spread[np.abs(spread) < LIMIT - 0.12]:
            squeeze = 1 - 0.115 * np.sin(min(abs(lean), 1.57)) ** 2
            eye(cartoon, float(lean), radius * squeeze, size * squeeze)


def eye(cartoon: Cartoon, lean: float, radius: float, size: float) -> None:
    """One eye of the tail at an angle and distance from the heart: concentric rings of stone."""
    out = np.array([np.sin(lean), -np.cos(lean)])
    place = HEART[0] + radius * out[0], HEART[1] + radius * out[1]
    cartoon, x, y = cartoon.window(*place, size * 1.5)
    dx, dy = x - place[0], y - place[1]
    along, across = dx * out[0] + dy * out[1], dx * out[1] - dy * out[0]
    ring = np.hypot(across, along * (0.86 + 0.16 * np.sign(along))) / size
    inner = np.hypot(across, along + size * 0.12) / size
    tangent = np.arctan2(dy, dx) + np.pi / 2
    grain = 11.0 if size < 40 else 12.0
    for part, limit, measure, codes in (
        (3, 1.0, ring, "6e3418 a4522a"),
        (4, 0.8, ring, "e9b23c ffe08a"),
        (5, 0.6, inner, "1b8f95 5ac4b4"),
        (6, 0.36, inner, "131c5a 22389a"),
    ):
        tone = np.clip(0.5 - along / size / 1.6, 0, 1)
        cartoon.fill(
            (cartoon.region >= 2) & (cartoon.region < 7) & (measure < limit),
            part,
            (tone, codes),
            tangent,
            grain,
        )


def bird(cartoon: Cartoon) -> None:
    """Wings, breast, neck, head, crest and legs of the peacock."""
    x, y = grid()
    breast = curve(
        [(704, 1130), (600, 1085), (560, 985), (590, 880), (640, 790), (655, 690), (640, 610), (668, 562),
         (722, 556), (762, 596), (764, 690), (786, 790), (826, 880), (848, 985), (808, 1085)], closed=True,
    )  # fmt: skip
    wings_and_legs(cartoon, y)
    mask = shape_mask((SIDE, SIDE), [breast], 0) > 0.5
    depth = ndimage.distance_transform_edt(mask)
    light = np.clip(0.12 + depth / 150 - (x - 690) / 420 + 0.12 * np.sin((y - 0.004 * (x - 704) ** 2) / 15), 0, 1)
    cartoon.fill(mask, 12, (light, "0e1550 162a86 1f4fb4 2f86c8 74c4d0 c8e8d4"), outline_angle(mask), 12)
    cartoon.fill(mask & (depth < 11), 14, "0c0f38", outline_angle(mask), 11)
    head(cartoon)


def wings_and_legs(cartoon: Cartoon, y: Array) -> None:
    """Barred wings half hidden by the breast, and the legs: each side the mirror of the other."""
    wing = curve([(95, 850), (205, 900), (215, 1010), (130, 1120), (60, 1090)], closed=True)
    leg: Points = [(46, 1090), (62, 1090), (58, 1196), (98, 1212), (20, 1212), (44, 1196)]
    bars = ((y - 840) / 30 % 1 < 0.5) * np.float32(0.55) + np.float32(0.3)
    for side in (-1, 1):
        feathered, bare = (
            shape_mask((SIDE, SIDE), [[(704 + side * across, down) for across, down in outline]], 0) > 0.5
            for outline in (wing, leg)
        )
        angle = outline_angle(feathered)
        cartoon.fill(feathered, 10 + (side > 0), (bars, "7c2f1c c4622e ecb26a"), angle, 13)
        cartoon.fill(bare, 13, "d9a24a", np.pi / 2, 11)


def head(cartoon: Cartoon) -> None:
    """The head, turned to the left: beak, white cheek, eye, and a crest of five gold-tipped plumes."""
    x, y = grid()
    beak: Points = [(654, 578), (580, 628), (654, 634)]
    cartoon.fill(shape_mask((SIDE, SIDE), [beak], 0) > 0.5, 15, "f4e6c0", 0.5, 11)
    for lean in (-0.62, -0.31, 0.0, 0.31, 0.62):
        tip = (704 + 120 * np.sin(lean), 572 - 120 * np.cos(lean))
        side = np.array([np.cos(lean), np.sin(lean)]) * 6
        plume: Points = [
            (704 - side[0], 566 - side[1]),
            (704 + side[0], 566 + side[1]),
            (tip[0] + side[0], tip[1] + side[1]),
            (tip[0] - side[0], tip[1] - side[1]),
        ]
        cartoon.fill(shape_mask((SIDE, SIDE), [plume], 0) > 0.5, 16, "101a4a", lean, 11)
        far = np.hypot(x - tip[0], y - tip[1])
        cartoon.fill(far < 19, 17, "ffe9a8", np.arctan2(y - tip[1], x - tip[0]) + np.pi / 2, 12)
    far = np.hypot((x - 690) / 1.25, y - 606)
    cartoon.fill(far < 27, 18, "f6f0dc", np.arctan2(y - 606, x - 690) + np.pi / 2, 11)
    cartoon.fill(np.hypot(x - 688, y - 606) < 13, 19, "08080f", 0.0, 12)


def ground(cartoon: Cartoon, fan: Array, rng: np.random.Generator) -> None:
    """Gold behind the bird in rows around the fan, and a meadow under it."""
    x, y = grid()
    angle = outline_angle(fan)
    gold = np.clip(0.5 + 0.16 * clouds((SIDE, SIDE), 120, rng, 3) - (y - 500) / 2600, 0, 1)
    cartoon.fill(~fan, 0, (gold, "8a5a18 c08a26 e2b440 f6d878 fff0b8"), angle, 16)
    halo = ~fan & (ndimage.distance_transform_edt(~fan[::2, ::2]).repeat(2, 0).repeat(2, 1) * 2 < 17)
    cartoon.fill(halo, 1, "8e2f1e", angle, 14)
    line = 1148 + 26 * np.sin(x / 150) + 10 * np.sin(x / 47)
    meadow = y > line
    tone = np.clip(0.75 - (y - line) / 210 + 0.14 * np.sin((y - line) / 15 + np.sin(x / 60)), 0, 1)
    cartoon.fill(meadow, 7, (tone, "12302a 2a5a34 5f8a3c a9b04c e0d27a"), 0.17 * np.cos(x / 150), 14)
    for left in (190, 300, 440, 560, 850, 975, 1110, 1225):
        top = 1215 + 26 * np.sin(left)
        far, around = np.hypot(x - left, y - top), np.arctan2(y - top, x - left)
        bloom = far < 31 + 9 * np.cos(around * 6)
        cartoon.fill(bloom, 8, (np.clip(far / 40, 0, 1), "a42418 d8482a f6b08a"), around + np.pi / 2, 11)
        cartoon.fill(far < 11, 9, "ffe27a", 0.0, 12)


def braid(cartoon: Cartoon) -> None:
    """The border: two interlaced bands on black between lines of white and red, a knot in each corner."""
    x, y = grid()
    inset = np.minimum(np.minimum(x, SIDE - x), np.minimum(y, SIDE - y))
    level = (inset == np.minimum(y, SIDE - y)).astype(bool)
    run = np.where(level, x, y) - SIDE / 2
    across = inset - 52.0
    flat = np.where(level, 0.0, np.pi / 2)
    border = inset < FRAME
    cartoon.fill(border, 30, "14142a", flat, 14)
    wave = 2 * np.pi / 150 * run
    for sense in (1, -1):
        over = sense * np.cos(wave) > 0
        for part in (0, 1):
            centre = sense * (1 if part == 0 else -1) * 22 * np.sin(wave)
            gap = np.abs(across - centre)
            lean = sense * (1 if part == 0 else -1) * np.arctan(22 * 2 * np.pi / 150 * np.cos(wave))
            flip = np.where(level, np.where(y < SIDE / 2, lean, -lean), np.pi / 2 - np.where(x < SIDE / 2, lean, -lean))
            here = border & (gap < 18) & ((over == (part == 0)) | (sense == 1))
            red = ("7a1f18 c4442a f0a878 fbe6c8", "12306e 2f6fb4 8cc4d4 f2f2e0")[part ^ (sense < 0)]
            cartoon.fill(here, 31 + part + 2 * (sense < 0), (np.clip(1.05 - gap / 17, 0, 1), red), flip, 12)
    for low, high, code in ((0, 13, "7a241a"), (90, 104, "efe6cc"), (77, 90, "8e2a1c")):
        cartoon.fill((inset >= low) & (inset < high), 40 + low, code, flat, 13)
    corner = (np.minimum(x, SIDE - x) < FRAME) & (np.minimum(y, SIDE - y) < FRAME)
    dx, dy = np.minimum(x, SIDE - x) - 52, np.minimum(y, SIDE - y) - 52
    far = np.hypot(dx, dy)
    rings = np.floor(np.clip(far / 13, 0, 5)).astype(int)
    codes = ("fff0b0", "c4442a", "f2dca8", "1c4f8e", "14142a", "8e2a1c")
    for ring, code in enumerate(codes):
        cartoon.fill(corner & (rings == ring), 60 + ring, code, np.arctan2(dy, dx) + np.pi / 2, 12.5)


def paint(rng: np.random.Generator) -> Array:
    """Draw the cartoon, lay the stones, then grout, bevels, tilted faces and the light on them."""
    blank = np.zeros((SIDE, SIDE), np.float32)
    cartoon = Cartoon(blank.astype(np.int32), np.zeros((SIDE, SIDE, 3), np.float32), blank.copy(), blank + 14)
    x, y = grid()
    fan, far, turn = fan_shape()
    ground(cartoon, fan, rng)
    feathers(cartoon, fan, far, turn)
    bird(cartoon)
    braid(cartoon)
    places, owner, nearest = laid(cartoon, rng)
    joint = (owner < 0) | (nearest > 0.66)
    joint |= ndimage.maximum_filter(owner, 3) != ndimage.minimum_filter(owner, 3)
    inside = ndimage.distance_transform_edt(~joint)
    face = stone_colours(cartoon, places, rng)[owner]
    tilt = rng.normal(0, 0.075, (len(places), 2))
    tilted = (x - places[owner, 0]) * tilt[owner, 0] + (y - places[owner, 1]) * tilt[owner, 1]
    grain = 0.035 * clouds((SIDE, SIDE), 5, rng, 2)
    height = ndimage.gaussian_filter(np.minimum(inside, 4.5) * 0.55, 1.0)
    shade = np.clip((np.gradient(height, axis=1) * 0.7 + np.gradient(height, axis=0)) * 0.55, -0.45, 0.4)
    stone = face * (1 + 0.75 * tilted + grain + shade)[..., None] + 0.10 * np.maximum(shade, 0)[..., None]
    mortar = ramp(np.clip(0.4 + 0.15 * noise((SIDE, SIDE), 3, rng), 0, 1), "2b2622 5b5148 8a7c6c")
    return halved(np.clip(mix(mortar, stone, step(inside, 0.2, 1.6)), 0, 1))
