"""What the page asks to be painted: checked before anything is begun, nothing in it trusted."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gramarye import layers, presets
from gramarye.errors import SettingsError, unknown_name
from gramarye.settings import KNOBS, Settings
from gramarye.studio.faders import weighed
from gramarye.studio.offers import LARGEST, LONGEST
from gramarye.studio.refusals import Refusal, TooLarge

PARTS = ("content", "styles", "preset", "settings", "start", "mask", "without")
MOST_STYLES, MOST_PAIRS, MOST_VALUES = 6, 64, 64
MASK_MEGAPIXELS = 4.0
MASK_START = "data:image/png;base64,"
PNG = b"\x89PNG\r\n\x1a\n"
UNSETTABLE = ("device", "network.name")  # what the whole studio shares


@dataclass(frozen=True)
class Order:
    """A run to be: `named` are knobs that were asked for, `mask` is a PNG, `start` a run and the index of a frame."""

    content: str
    styles: tuple[str, ...]
    preset: str
    settings: Settings
    named: frozenset[str]
    start: tuple[str, int] | None
    mask: bytes | None
    without: tuple[tuple[str, int, int], ...]


def read(plain: Mapping[str, Any]) -> Order:
    """The order in a request, as `RunRequest` in types.ts; raises a GramaryeError for anything else."""
    for name in plain:
        if name not in PARTS:
            raise Refusal(*unknown_name("part of a request", str(name)[:80], PARTS))
    content = _text(plain, "content")
    styles = _list(plain.get("styles"), "styles", MOST_STYLES)
    if not styles or not all(isinstance(each, str) for each in styles):
        raise Refusal("styles must be identifiers of one painting or more", _short(styles), "choose a painting")
    preset = _text(plain, "preset")
    start = _start(plain.get("start"))
    named = _knobs({} if plain.get("settings") is None else plain["settings"])
    settings = _settings(presets.preset(preset), named, branch=start is not None)
    mask, without = _mask(plain.get("mask")), _without(plain, settings)
    if mask and without:
        raise Refusal("pairs of channels are left out of the whole picture", "a mask", "leave the mask out")
    return Order(content, tuple(styles), preset, settings, frozenset(named), start, mask, without)


def checked_changes(settings: Settings, plain: object) -> dict[str, Any]:
    """Live knobs that are to get other values, as the page has them; raises a GramaryeError for others."""
    changes = _knobs(plain)
    if not changes:
        raise Refusal("a change must name a knob", "none")
    with_them = settings.with_live(**weighed(settings, changes))
    _check_asked(with_them)
    return changes


def branched(order: Order, ratio: float) -> Settings:
    """The settings of a branch from a frame that is `ratio` times as large as the picture is to be.

    It begins at about that size, with the evaluations that this size and the larger ones would have had, unless the
    number of scales or of steps was asked for.
    """
    settings = order.settings
    scales, named = settings.scales, order.named
    if {"scales.count", "scales.shares"} & named:
        return settings
    smaller = round(-math.log(min(ratio, 1.0)) / math.log(scales.factor)) if ratio > 0 else scales.count
    count = min(scales.count, smaller + 1)
    share = sum(scales.shares[-count:]) / sum(scales.shares) if scales.shares else count / scales.count
    changes: dict[str, Any] = {"scales.count": count, "scales.shares": scales.shares[-count:]}
    if "steps" not in named:
        changes["steps"] = round(settings.steps * share)
    return settings.with_(**changes)


def _settings(preset: Settings, changes: Mapping[str, Any], *, branch: bool) -> Settings:
    for name in UNSETTABLE:
        if name in changes:
            raise Refusal(f"{name} is the same for all runs", _short(changes[name]), "leave it out")
    settings = preset.with_(**weighed(preset, changes))
    if branch:
        settings = settings.with_(init="file")
    if settings.init == "file" and not branch:
        raise SettingsError("init=file needs a picture to start from", "none", "branch from a run, or choose another")
    if settings.size > LARGEST:
        raise SettingsError(f"size must be at most {LARGEST} in the studio", settings.size, "use the command line")
    if settings.steps > LONGEST:
        raise SettingsError(f"steps must be at most {LONGEST} in the studio", settings.steps, "use the command line")
    _check_asked(settings)
    return settings


def _check_asked(settings: Settings) -> None:
    asked = (
        settings.content.weight,
        settings.strength * settings.style.weight * max(settings.style.layer_weights or (1,)),
    )
    if not any(asked):
        raise SettingsError("something must be asked of the picture", "weights that are all 0", "raise style.weight")


def _knobs(plain: object) -> dict[str, Any]:
    if not isinstance(plain, dict):
        raise Refusal("settings must be an object of knobs and their values", type(plain).__name__)
    for name, value in plain.items():
        if name not in KNOBS:
            raise SettingsError(*unknown_name("knob", str(name)[:80], KNOBS))
        _check_value(name, value)
    return dict(plain)


def _check_value(name: str, value: object) -> None:
    several = value if isinstance(value, list) else [value]
    if len(several) > MOST_VALUES or not all(isinstance(each, (int, float, str)) for each in several):
        raise SettingsError(f"{name} must be a number, a text, or a list of them", _short(value))
    if any(isinstance(each, str) and len(each) > 1000 for each in several):
        raise SettingsError(f"{name} must be a short text", _short(value))


def _start(plain: object) -> tuple[str, int] | None:
    if plain is None:
        return None
    if not (isinstance(plain, dict) and isinstance(plain.get("run"), str) and _is_count(plain.get("index"))):
        raise Refusal("start must name a run and the index of its frame", _short(plain))
    return plain["run"], plain["index"]


def _without(plain: Mapping[str, Any], settings: Settings) -> tuple[tuple[str, int, int], ...]:
    found = []
    for each in _list(plain.get("without", []), "without", MOST_PAIRS):
        pair = each.get("channels") if isinstance(each, dict) else None
        named = isinstance(each, dict) and isinstance(each.get("layer"), str)
        if not (named and isinstance(pair, list) and len(pair) == 2 and all(map(_is_count, pair))):
            raise Refusal("without must list layers, each with two channels", _short(each))
        layer, known = layers.resolve(each["layer"]), [layers.resolve(name) for name in settings.style.layers]
        if layer not in known:
            rule = "a pair of channels is left out of a layer that the style is asked of"
            raise Refusal(rule, layer, f"choose one of {', '.join(known)}")
        found.append((layer, pair[0], pair[1]))
    return tuple(found)


def _mask(plain: object) -> bytes | None:
    """The bytes of a PNG that is small enough to be decoded; whether it is whole is found then."""
    if plain is None:
        return None
    if not isinstance(plain, str) or not plain.startswith(MASK_START):
        raise Refusal("a mask must be a PNG as a data URL", _short(plain), "paint it again")
    try:
        data = base64.b64decode(plain.removeprefix(MASK_START), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal("a mask must be in base64", error, "paint it again") from error
    if not data.startswith(PNG) or data[12:16] != b"IHDR" or len(data) < 24:
        raise Refusal("a mask must be a PNG", _short(data[:12]), "paint it again")
    width, height = struct.unpack(">II", data[16:24])
    if width * height > MASK_MEGAPIXELS * 1e6:
        raise TooLarge(f"a mask may have at most {MASK_MEGAPIXELS:g} megapixels", f"{width} × {height} pixels")
    return data


def keep_mask(data: bytes, path: Path, size: tuple[int, int]) -> None:
    """Decode a mask for a photograph of `size` (height, width), and write it anew as `path`.

    Raises ImageError for a damaged one, and Refusal for another shape or one with nothing white.
    """
    from gramarye import images
    from gramarye.masks import EMPTY, SHAPE

    given = path.with_name("given.png")
    given.write_bytes(data)
    try:
        mask = images.load(given, max_megapixels=MASK_MEGAPIXELS)
    finally:
        given.unlink()
    pixels = mask.pixels if mask.alpha is None else mask.pixels * mask.alpha
    height, width = pixels.shape[2:]
    if abs(width / height / (size[1] / size[0]) - 1) > SHAPE:
        raise Refusal("a mask must have the shape of the photograph", f"{width} × {height}", "paint it again")
    grey = pixels.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    if float(grey.mean()) < EMPTY:
        raise Refusal("a mask must be white where the style goes", "one that is black", "paint it white somewhere")
    images.save(grey, path)


def _text(plain: Mapping[str, Any], name: str) -> str:
    value = plain.get(name)
    if not isinstance(value, str):
        raise Refusal(f"{name} must be a text", _short(value))
    return value


def _list(value: object, name: str, most: int) -> Sequence[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise Refusal(f"{name} must be a list of at most {most}", _short(value))
    return value


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9


def _short(value: object) -> str:
    """What was received, as far as one line takes it."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
