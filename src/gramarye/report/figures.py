"""Drawings as files and as pictures of a page: each is laid out once and written three times."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field

import numpy as np
import torch

from gramarye import inline
from gramarye.report.drawing import Drawing

SALT = "gramarye"  # of the ids inside an SVG, so that the same drawing gives the same bytes
VECTOR_DPI = 100  # of the pictures inside an SVG: most of its time and size go there
LARGEST_SVG = 60_000  # bytes in the page; a larger one is a picture there
PHOTOGRAPHIC, LINES = 70, 85  # quality in the page


@dataclass(frozen=True)
class Figure:
    """A drawing that is ready for a page: `source` is a data URI, `width` and `height` are in pixels."""

    name: str
    caption: str
    source: str = field(repr=False)
    width: int
    height: int
    png: bytes = field(repr=False)
    svg: bytes = field(repr=False)


def render(drawing: Drawing, section: str) -> Figure:
    """The drawing of a section as PNG, SVG and data URI."""
    from matplotlib import rc_context

    figure, vector = drawing.figure, io.BytesIO()
    figure.canvas.draw()
    figure.set_layout_engine("none")  # what was laid out stays where it is
    samples = np.asarray(figure.canvas.buffer_rgba())[:, :, :3]  # type: ignore[attr-defined]
    pixels = torch.from_numpy(samples.copy()).permute(2, 0, 1)[None].float() / 255
    with rc_context({"svg.hashsalt": SALT}):
        none = {"Date": None, "Creator": None}
        figure.savefig(vector, format="svg", dpi=VECTOR_DPI, facecolor=figure.get_facecolor(), metadata=none)
    svg = vector.getvalue()
    if drawing.photographic or len(svg) > LARGEST_SVG:
        quality = PHOTOGRAPHIC if drawing.photographic else LINES
        source = inline.data_uri(inline.encoded(pixels, "WEBP", quality=quality), "WEBP")
    else:
        source = inline.data_uri(svg, "SVG")
    height, width = samples.shape[:2]
    png = inline.encoded(pixels, "PNG")
    return Figure(stem(drawing.name, section), drawing.caption, source, width, height, png, svg)


def stem(name: str, section: str) -> str:
    """The stem of a figure's files: the section and the drawing's name, in letters that every system takes."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()
    return plain if plain.split("-")[0] == section else f"{section}-{plain}".rstrip("-")
