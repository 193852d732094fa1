"""Large pictures in strips of rows, within bounded memory and without seams.

`paint(painter, photographs, told)` may be called for pictures of every size: it gives small ones to the painter
as they are, and paints larger ones than LARGE in strips. What is normalised is normalised over the whole picture, so
that the result is the painter's own but for rounding; a strip sees as many rows beyond its own as its layers look at.
The moments are put together in float64: of millions of positions PyTorch's own normalisation, in float32, finds them
so roughly that a picture of 4096² may be 0.003 off.

A painter normalises after every convolution. It is worked through layer by layer: of each map, a strip after the
other is read (normalised on the way), convolved and written, and the moments of what is written are kept for the
next reading. Two maps are held, 40 bytes for each pixel of the picture in float32, and used again by every layer, and
two smaller ones for the coarse blocks. What is painted is normalised where it lies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from gramarye.fast.any_style import AnyStyle, Manner
from gramarye.fast.painter import (
    CELL,
    EPSILON,
    HALF,
    LEAST,
    Block,
    Code,
    FeedForward,
    Known,
    Mix,
    Moments,
    Normalisation,
    Painter,
    doubled,
    halved,
)

LARGE = 1024 * 1024  # pixels: above, pictures are painted in strips, which cost nothing
STRIP = {"cpu": 2**22}  # bytes of a map that are worked on at a time: what a processor's cache holds
STRIP_ELSEWHERE = 2**28

Image = Float[Tensor, "batch 3 height width"]
Picture = Float[Tensor, "1 3 height width"]
Map = Float[Tensor, "1 channels rows columns"]
Channels = Float[Tensor, " channels"]
Read = Callable[[int, int], Tensor]  # rows from … to of a map, normalised
Write = Callable[[int, int, Tensor], None]


def paint(
    painter: Painter | AnyStyle, photographs: Image, told: Mix | Manner, alpha: float = 1.0, *, rows: int | None = None
) -> Image:
    """What `painter` paints of pictures of any size, not clipped to [0, 1]; no gradient.

    `told` is a Painter's mix of styles or an AnyStyle's manner, `alpha` the latter's. `rows` is the height of a strip
    in rows of the map that is worked on; without it, only large pictures are cut into strips.
    """
    with torch.no_grad():
        if isinstance(painter, AnyStyle):
            assert isinstance(told, Manner)
            code = painter.code(photographs, told, alpha)
        else:
            assert isinstance(told, Tensor)
            code = told
        if rows is None and photographs.shape[2] * photographs.shape[3] <= LARGE:
            return painter.painted(photographs, code)
        painted = torch.empty_like(photographs)
        for place in range(len(photographs)):
            part = slice(place, place + 1)
            _paint_by_layers(painter, photographs[part], code[part], painted[part], rows)
        return painted


# ---- what is known of a map after all of it was seen ----------------------------------------------------


@dataclass
class RunningMoments:
    """Mean and variance of each channel of a map that comes in strips; each strip's own are put together in float64.

    μ = Σ nᵢ·μᵢ/n,   σ² = Σ nᵢ·(σᵢ² + (μᵢ − μ)²)/n
    """

    counts: list[int] = field(default_factory=list)
    means: list[Channels] = field(default_factory=list)
    variances: list[Channels] = field(default_factory=list)

    def add(self, strip: Map) -> None:
        """Take account of a strip."""
        flat = strip.permute(0, 2, 3, 1).flatten(0, 2)  # as channels-last lies in memory
        flat = flat.to(torch.promote_types(flat.dtype, torch.float32))
        mean = flat.mean(0)
        self.counts.append(len(flat))
        self.means.append(mean)
        self.variances.append((flat - mean).square_().mean(0))

    def found(self) -> tuple[Channels, Channels]:
        """Mean and variance of all that was added, in float64 on the processor."""
        means, variances = (torch.stack(each).cpu().double() for each in (self.means, self.variances))
        shares = torch.tensor(self.counts, dtype=torch.float64) / sum(self.counts)
        mean = shares @ means
        return mean, shares @ (variances + (means - mean).square())


def _as_moments(found: RunningMoments, like: Tensor) -> Moments:
    """As a painter's `moments` gives them."""
    mean, variance = found.found()
    dtype = torch.promote_types(like.dtype, torch.float32)
    return mean.to(like.device, dtype)[None], variance.sqrt().clamp_min(LEAST).to(like.device, dtype)[None]


# ---- layer by layer -------------------------------------------------------------------------------


def _paint_by_layers(painter: FeedForward, photograph: Picture, code: Code, into: Picture, rows: int | None) -> None:
    """`FeedForward.painted` in strips, written to `into`."""
    count, columns = (-(-side // CELL) for side in photograph.shape[2:])
    width, last = painter.enter.out_channels, painter.widen.out_channels
    pixels, kind = count * columns, _precision(painter.enter.weight)
    stays = photograph.new_empty(pixels * width, dtype=kind)
    other = photograph.new_empty(pixels * max(width, last * HALF**2), dtype=kind)
    body, inner = _as_map(stays, width, count, columns), _as_map(other, width, count, columns)

    entered = _convolved(painter.enter, _cells(photograph), inner, rows)
    of_photograph = _moments_of(photograph, rows)
    known = painter.known(_as_moments(of_photograph, photograph), _as_moments(entered, photograph))
    asked = partial(_normalised, code=code, known=known)
    _fill(body, _bent(asked(inner, entered, painter.after_enter)), rows)
    for place, block in enumerate(painter.body):
        if place == painter.middle:
            _add_coarse(painter, body, asked, rows)
        _add_block(block, body, inner, asked, rows)
    wide = _as_map(other, last, HALF * count, HALF * columns)
    widened = asked(wide, _convolved(painter.widen, _twice(body), wide, rows), painter.after_widen)
    plain = asked(photograph, of_photograph, painter.of_photograph)
    _convolve(painter.leave, _bent(widened), _strips(wide, rows), _onto(plain, into))
    _fill(into, asked(into, _moments_of(into, rows), painter.of_painting), rows)


def _add_block(block: nn.Module, onto: Map, inner: Map, asked: Callable[..., Read], rows: int | None) -> None:
    """Add to a map what a block adds; `inner` is worked in."""
    assert isinstance(block, Block)
    once = asked(inner, _convolved(block.first, _rows_of(onto), inner, rows), block.after_first)
    added = asked(inner, _convolved(block.second, _bent(once), inner, rows), block.after_second)
    for first, end in _strips(onto, rows):
        onto[:, :, first:end] += added(first, end)


def _add_coarse(painter: FeedForward, body: Map, asked: Callable[..., Read], rows: int | None) -> None:
    """Add to the body what the coarse blocks add."""
    count, columns = (-(-side // HALF) for side in body.shape[2:])
    channels = painter.down.out_channels
    size = channels * count * columns
    coarse, inner = (_as_map(body.new_empty(size), channels, count, columns) for _ in range(2))
    for first, end in _strips(coarse, rows):
        coarse[:, :, first:end] = painter.down(halved(body[:, :, HALF * first : HALF * end]))
    for block in painter.coarse:
        _add_block(block, coarse, inner, asked, rows)
    for first, end in _strips(coarse, rows):
        part = body[:, :, HALF * first : HALF * end]
        part += doubled(painter.up(coarse[:, :, first:end]))[:, :, : part.shape[2], : part.shape[3]]


def _convolved(convolution: nn.Conv2d, read: Read, into: Map, rows: int | None) -> RunningMoments:
    """Convolve what `read` gives into a map, which may be the one that is read, and find its moments."""
    found = RunningMoments()

    def write(first: int, end: int, strip: Tensor) -> None:
        found.add(strip)
        into[:, :, first:end] = strip

    _convolve(convolution, read, _strips(into, rows), write)
    return found


def _normalised(found: Map, its: RunningMoments, after: Normalisation, code: Code, known: Known) -> Read:
    """How a map is read normalised."""
    mean, variance = its.found()
    asked_gain, asked_offset = (each[0].double().cpu() for each in after.asked(code, known))
    gain = asked_gain * (variance + EPSILON).rsqrt()
    offset = asked_offset - mean * gain
    scale, shift = (each.to(found.device, found.dtype)[None, :, None, None] for each in (gain, offset))
    return lambda first, end: torch.addcmul(shift, found[:, :, first:end], scale)


def _moments_of(whole: Map, rows: int | None) -> RunningMoments:
    found = RunningMoments()
    for first, end in _strips(whole, rows):
        found.add(whole[:, :, first:end])
    return found


def _fill(into: Map, read: Read, rows: int | None) -> None:
    """Write all of what is read, which may be the same map."""
    for first, end in _strips(into, rows):
        into[:, :, first:end] = read(first, end)


def _convolve(convolution: nn.Conv2d, read: Read, strips: Iterator[tuple[int, int]], write: Write) -> None:
    """A 3×3 convolution that repeats the edge; a strip is read before any of its rows is written."""
    above = read(0, 1)
    for first, end in strips:
        strip = read(first, end + 1)
        inside = strip.shape[2] > end - first
        padded = torch.cat((above, strip) if inside else (above, strip, strip[:, :, -1:]), 2)
        above = strip[:, :, end - first - 1 : end - first]
        padded = F.pad(padded, (1, 1, 0, 0), mode="replicate")
        write(first, end, F.conv2d(padded, convolution.weight, convolution.bias))


def _strips(whole: Map, rows: int | None) -> Iterator[tuple[int, int]]:
    """From which row to which: so many, or as many as STRIP allows."""
    _, channels, count, columns = whole.shape
    size = STRIP.get(whole.device.type, STRIP_ELSEWHERE)
    each = rows or max(1, size // (channels * columns * whole.element_size()))
    return ((first, min(first + each, count)) for first in range(0, count, each))


def _as_map(memory: Tensor, channels: int, count: int, columns: int) -> Map:
    """The beginning of a buffer as a map that lies channels-last."""
    return memory[: channels * count * columns].view(1, count, columns, channels).permute(0, 3, 1, 2)


def _precision(weight: Tensor) -> torch.dtype:
    """In which a convolution computes: its own, unless an autocast is on."""
    kind = weight.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype


def _rows_of(whole: Map) -> Read:
    return lambda first, end: whole[:, :, first:end]


def _bent(read: Read) -> Read:
    """ReLU of what is read."""
    return lambda first, end: F.relu(read(first, end), inplace=True)


def _cells(photograph: Picture) -> Read:
    """The photograph's cells; beyond its sides the edge is repeated."""
    height, width = photograph.shape[2:]

    def read(first: int, end: int) -> Tensor:
        strip = photograph[:, :, CELL * first : CELL * end]
        whole = CELL * min(end, -(-height // CELL)) - CELL * first
        padded = F.pad(strip, (0, -width % CELL, 0, whole - strip.shape[2]), mode="replicate")
        return F.pixel_unshuffle(padded, CELL).contiguous(memory_format=torch.channels_last)

    return read


def _twice(whole: Map) -> Read:
    """Rows of a map at twice its size."""

    def read(first: int, end: int) -> Tensor:
        above = first // HALF
        strip = doubled(whole[:, :, above : -(-end // HALF)])
        return strip[:, :, first - HALF * above : end - HALF * above]

    return read


def _onto(photograph: Read, into: Picture) -> Write:
    """Write the photograph with what is added to it."""
    height, width = into.shape[2:]

    def write(first: int, end: int, strip: Tensor) -> None:
        places = slice(HALF * first, min(HALF * end, height))
        added = F.pixel_shuffle(strip, HALF)[:, :, : places.stop - places.start, :width]
        if places.start < height:
            torch.add(photograph(places.start, places.stop), added.to(into.dtype), out=into[:, :, places])

    return write
