"""Decoded frames as sRGB and back: matrix, range, depth, alpha, and which way is up.

Code values are taken as sRGB's whatever transfer function is told, as players do; only HDR (PQ, HLG) is mapped.
Frames are written as BT.709 in limited range.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import images
from gramarye.video import hdr
from gramarye.video.film import pyav

# AVColorSpace (FFmpeg's libavutil/pixfmt.h) to the numbers of its scaler (libswscale/swscale.h).
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
BT709, BT601 = 1, 5
LIMITED, FULL = 1, 2  # AVColorRange
SD_HEIGHT, SD_WIDTH = 576, 1024  # up to here what tells no matrix is BT.601, as in mpv


@dataclass(frozen=True)
class Turn:
    """How stored frames become upright: swapped along the diagonal, then mirrored left to right, then top to bottom."""

    swapped: bool = False
    mirrored: bool = False
    flipped: bool = False

    def __call__(self, pixels: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 c new_h new_w"]:
        """Turn a picture."""
        pixels = pixels.transpose(2, 3) if self.swapped else pixels
        sides = [side for side, wanted in ((3, self.mirrored), (2, self.flipped)) if wanted]
        return pixels.flip(sides) if sides else pixels

    @property
    def degrees(self) -> int:
        """By how much that turns clockwise, mirroring left aside."""
        if self.swapped:
            return 90 if self.mirrored else 270
        return 180 if self.flipped else 0


def turn_of(frame: Any) -> Turn:
    """From a frame's display matrix: x' = a x + c y, y' = b x + d y (ISO/IEC 14496-12, 8.3.2)."""
    side = frame.side_data.get("DISPLAYMATRIX")
    if side is None:
        return Turn()
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(side)[:36])
    if abs(b) > abs(a):
        return Turn(swapped=True, mirrored=c < 0, flipped=b < 0)
    return Turn(mirrored=a < 0, flipped=d < 0)


def shown_size(frame: Any, turn: Turn, aspect: Fraction | None) -> tuple[int, int]:
    """(height, width) of a frame that is upright and has square pixels; `aspect` is that of the stored ones."""
    height, width = frame.height, frame.width
    if aspect:
        height, width = (height, round(width * aspect)) if aspect > 1 else (round(height / aspect), width)
    return (width, height) if turn.swapped else (height, width)


class Reading:
    """Decoded frames as they are stored, in sRGB; transparent parts are laid over white.

    One object for a film: what it works out for the first frame serves the others.
    """

    def __init__(self) -> None:
        self._reformatter = pyav().video.reformatter.VideoReformatter()

    def __call__(self, frame: Any) -> Float[Tensor, "1 3 h w"]:
        """One frame."""
        deep = max(component.bits for component in frame.format.components) > 8
        translucent = is_translucent(frame)
        name = ("rgba64le" if deep else "rgba") if translucent else ("rgb48le" if deep else "rgb24")
        samples = self._converted(frame, name).to_ndarray()
        planes = np.ascontiguousarray(samples.transpose(2, 0, 1)[None])
        pixels = torch.from_numpy(planes).to(torch.float32, copy=True).div_(65535 if deep else 255)
        colour = pixels[:, :3]
        if frame.color_trc in hdr.NAMES:
            colour = hdr.to_srgb(colour, frame.color_trc, frame.color_primaries)
        return over_white(colour, pixels[:, 3:]) if translucent else colour

    def _converted(self, frame: Any, name: str) -> Any:
        """A frame in the RGB format `name`, from the matrix and the range that it tells or that its kind has."""
        options: dict[str, Any] = {"format": name, "interpolation": _careful(), "threads": 1}
        if not (frame.format.is_rgb or frame.format.has_palette):
            options |= {"src_colorspace": _matrix(frame), "src_color_range": _range(frame), "dst_color_range": FULL}
        return self._reformatter.reformat(frame, **options)


class Writing:
    """Pictures as frames of the pixel format `name`: RGB as it is, anything else BT.709 in limited range."""

    def __init__(self, name: str) -> None:
        av = pyav()
        self._options: dict[str, Any] = {"format": name, "interpolation": _careful(), "threads": 1}
        if not av.VideoFormat(name).is_rgb:
            self._options |= {"dst_colorspace": BT709, "dst_color_range": LIMITED}
        self._reformatter = av.video.reformatter.VideoReformatter()

    def __call__(self, pixels: Float[Tensor, "1 3 h w"]) -> Any:
        """One picture; raises ImageError for NaN."""
        frame = pyav().VideoFrame.from_ndarray(images.to_uint8(pixels), format="rgb24")
        frame.colorspace, frame.color_range = 0, FULL
        return self._reformatter.reformat(frame, **self._options)


def over_white(pixels: Float[Tensor, "1 3 h w"], alpha: Float[Tensor, "1 1 h w"]) -> Float[Tensor, "1 3 h w"]:
    """A translucent picture on white, as JPEGs are written."""
    return 1 - alpha + alpha * pixels


def is_translucent(frame: Any) -> bool:
    """Whether a decoded frame has alpha."""
    return frame.format.has_palette or any(component.is_alpha for component in frame.format.components)


def _matrix(frame: Any) -> int:
    small = frame.height <= SD_HEIGHT and frame.width <= SD_WIDTH
    return _MATRICES.get(frame.colorspace, BT601 if small else BT709)


def _range(frame: Any) -> int:
    if frame.color_range in {LIMITED, FULL}:
        return int(frame.color_range)
    return FULL if frame.format.name.startswith(("yuvj", "gray", "ya8")) else LIMITED


def _careful() -> Any:
    """FFmpeg's slow and exact ways, the same on every processor."""
    ways = pyav().video.reformatter.Interpolation
    return ways.BICUBIC | ways.FULL_CHR_H_INT | ways.FULL_CHR_H_INP | ways.ACCURATE_RND | ways.BITEXACT
