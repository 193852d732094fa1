"""A style as it is asked for: a painting, or the name of one that a network has learned."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from gramarye import demo, images
from gramarye.errors import SettingsError, unknown_name
from gramarye.fast.stored import FastNetwork
from gramarye.images import Picture
from gramarye.origins import Origin, Source, origin

PAINTINGS = "paintings"  # in a card: the SHA-256 of the file of each style's painting, by the style's name


@dataclass(frozen=True)
class Style:
    """What was asked for: the painting, if there is one, and the name by which a network may know it."""

    name: str | None
    picture: Picture | None
    origin: Origin


def read(
    source: Source,
    network: FastNetwork | None = None,
    *,
    max_megapixels: float = images.DEFAULT_MAX_MEGAPIXELS,
) -> Style:
    """A style from whatever `images.load` accepts, or from a name.

    A name is that of a bundled painting ("demo:cubist", or "cubist" where no such file is), or of a style of `network`.
    Raises ImageError for a painting that cannot be used, SettingsError for a name that is unknown.
    """
    if not isinstance(source, str) or os.path.exists(source):  # noqa: PTH110  which never raises
        picture = images.load(source, max_megapixels=max_megapixels)
        return Style(known_as(picture, network), picture, origin(source, picture))
    name = source.removeprefix(demo.PREFIX)
    bundled = {path.stem: path for path in demo.styles()}
    if _is_stranger(network) and network is not None and name in network.styles:
        return Style(name, None, {"name": name, "path": None, "sha256": None})
    if name in bundled:
        picture = images.load(bundled[name])
        return Style(name, picture, origin(bundled[name], picture))
    if source.startswith(demo.PREFIX) or not Path(source).suffix:
        names = network.styles if network and network.styles else tuple(bundled)
        raise SettingsError(*unknown_name("style", name, names))
    picture = images.load(source)  # says what is wrong with the file
    return Style(None, picture, origin(source, picture))


def known_as(picture: Picture, network: FastNetwork | None = None) -> str | None:
    """The name of a painting that `network` has learned, by its card, or of a bundled painting, by its pixels."""
    if network is not None and picture.sha256 is not None:
        learned = network.card.get(PAINTINGS)
        for name, sha256 in learned.items() if isinstance(learned, dict) else ():
            if sha256 == picture.sha256 and name in network.styles:
                return str(name)
    pixels = picture.pixels.cpu()
    return next((path.stem for path in demo.styles() if torch.equal(images.load(path).pixels, pixels)), None)


def places(styles: Sequence[Style], network: FastNetwork) -> list[int]:
    """Where a network of many styles has these; raises SettingsError for one that it has not learned."""
    for style in styles:
        if style.name not in network.styles:
            remedy = f"known: {', '.join(network.styles)}; for any other painting: --network any"
            raise SettingsError("a network of many styles paints those that it learned", style.origin["name"], remedy)
    return [network.styles.index(str(style.name)) for style in styles]


def _is_stranger(network: FastNetwork | None) -> bool:
    """Whether a network of many styles has paintings of its own, which are not in the package."""
    return network is not None and network.kind == "many" and not network.embedded
