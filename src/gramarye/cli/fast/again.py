"""gramarye replay, of a picture that was painted in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gramarye.cli import console, replaying
from gramarye.cli import painting as shared
from gramarye.cli.fast import apply


@dataclass(frozen=True)
class Lying:
    """Where a recipe's inputs may lie: the picture with the recipe, folders, and what was named on the command line."""

    picture: Path
    folders: Sequence[Path]
    content: str | None = None
    styles: Sequence[str] = ()
    network: Path | None = None


def replay(
    recipe: dict[str, Any],
    lying: Lying,
    output: Path,
    *,
    bits: int = 8,
    max_megapixels: float = 100,
    json: bool = False,
    quiet: bool = False,
) -> None:
    """Paint the picture of a recipe again; raises a GramaryeError that says what to mend."""
    from gramarye import machine
    from gramarye.fast.paint import painter_for

    settings = replaying.settings_of(recipe)
    photograph, *styles = _inputs(recipe, lying)
    network = lying.network or replaying.weights_file(recipe) or recipe["network"]["file"]
    paintings = [] if recipe["fast"]["styles"] else styles
    shared.check_output(output, [lying.picture, photograph, *paintings, *([network] if network else [])], bits=bits)
    machine.keep_memory()
    painter = painter_for(
        styles,
        mix=settings.style.mix,
        network=Path(network) if network else recipe["fast"]["kind"],
        device=settings.device,
        precision=settings.precision,
        strength=settings.strength,
        style_size=settings.style.size,
        max_megapixels=max_megapixels,
    )
    if painter.network.sha256 != recipe["network"]["sha256"]:
        console.say("warning   another network than the picture was painted with", quiet=quiet)
    order = apply.Order(painter, settings.size, settings.color, bits, max_megapixels, quiet)
    apply.one(order, photograph, output, json=json)


def _inputs(recipe: dict[str, Any], lying: Lying) -> list[str]:
    """Where the photograph lies now, and the paintings, or the names of those that the network has learned."""
    from gramarye import demo

    if recipe["fast"]["styles"]:
        photograph = replaying.found(recipe["content"], lying.content, lying.folders, "--content")
        return [photograph, *recipe["fast"]["styles"]]
    bundled = {path.name: path.parent for path in demo.styles()}  # of this installation
    folders = [*lying.folders, *{bundled[each["name"]] for each in recipe["styles"] if each["name"] in bundled}]
    return replaying.pictures_of(recipe, folders, lying.content, list(lying.styles))
