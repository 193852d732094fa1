"""What can be wound through on the page: the painting coming about, and reconstructions from noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from gramarye import inline
from gramarye.explain.section import Section
from gramarye.report.page import Reel, Shot

if TYPE_CHECKING:
    from gramarye.explain.reconstruction import Rebuilt
    from gramarye.explain.subject import Subject

FRAME, SNAPSHOT = 512, 192  # long side, px
QUALITY = 80


def of_painting(subject: Subject) -> tuple[Reel, ...]:
    """The painting coming about; nothing of a picture that was brought along."""
    frames = {frame.index: frame.pixels for frame in subject.frames}  # the last of each
    if len(frames) < 2:
        return ()
    moments = tuple(_after(index) for index in frames)
    shots = tuple((_shot(pixels, "", FRAME),) for pixels in frames.values())
    caption = "The picture as it stood after so many evaluations; what was small then is shown enlarged."
    return (Reel("Wind through the painting", caption, moments, shots),)


def of_section(section: Section) -> tuple[Reel, ...]:
    """The reconstructions of a section, wound through side by side."""
    from gramarye.explain.content import Content
    from gramarye.explain.textures import Textures

    if isinstance(section, Content):
        rows = [(kept.layer, kept.rebuilt) for kept in section.layers]
        caption = "From noise towards the photograph, by what one layer each knows of it."
        return (_wound("Wind through the rebuilding", caption, rows),)
    if isinstance(section, Textures):
        rows = [(f"to {rebuilt.layers[-1]}", rebuilt) for rebuilt in section.cumulative]
        caption = "From noise towards the painting's Gram matrices, in all of the layers up to the one that is named."
        return (_wound("Wind through the weaving", caption, rows),)
    return ()


def _wound(title: str, caption: str, rows: Sequence[tuple[str, Rebuilt]]) -> Reel:
    """Rebuilt pictures side by side at the moments that they have in common."""
    count = min(len(rebuilt.snapshots) for _, rebuilt in rows)
    moments = tuple(_after(*(rebuilt.snapshots[index].index for _, rebuilt in rows)) for index in range(count))
    shots = tuple(
        tuple(_shot(rebuilt.snapshots[index].pixels, name, SNAPSHOT) for name, rebuilt in rows)
        for index in range(count)
    )
    return Reel(title, caption, moments, shots)


def _after(*indices: int) -> str:
    """How many evaluations were made; of pictures side by side that may differ by a few."""
    least, most = min(indices), max(indices)
    if most == 0:
        return "at the start"
    number = f"{least}" if least == most else f"{least} to {most}"
    return f"after {number} evaluation{'' if number == '1' else 's'}"


def _shot(pixels: Tensor, caption: str, long_side: int) -> Shot:
    small = inline.shrunk(pixels, long_side)
    source = inline.data_uri(inline.encoded(small, "WEBP", quality=QUALITY), "WEBP")
    return Shot(source, caption, small.shape[3], small.shape[2])
