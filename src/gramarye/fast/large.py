"""Large pictures in strips of rows, within bounded memory and without seams.

`paint(painter, photographs, told, alpha)` may be called for pictures of every size: it gives small ones to the painter
as they are, and paints larger ones than LARGE in strips. What is normalised is normalised over the whole picture, so
that the result is the painter's own but for rounding; a strip sees as many rows beyond its own as its layers look at.
The moments are put together in float64: of millions of positions PyTorch's own normalisation, in float32, finds them
so roughly that a picture of 4096² may be 0.003 off.

`Painter` normalises after every convolution. It is worked through layer by layer: of each map, a strip after the
other is read (normalised on the way), convolved and written, and the moments of what is written are kept for the
next reading. Two maps are held, 40 bytes for each pixel of the picture in float32, and used again by every layer.

`AnyStyle` needs moments at its taps alone: a first pass over the strips finds them, a second one paints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from gramarye.fast import any_style
from gramarye.fast.any_style import AnyStyle, Manner
from gramarye.fast.painter import CELL, EPSILON, HALF, Block, Normalisation, Painter

LARGE = 1024 * 1024  # pixels: above, Painter paints in strips, which cost it nothing
LARGE_TWICE = 2048 * 2048  # the same for AnyStyle, which they cost a second look
STRIP = {"cpu": 2**22}  # bytes of a map that are worked on at a time: what a processor's cache holds
STRIP_ELSEWHERE = 2**28
PIXELS = 2**22  # of a strip of AnyStyle
HALO = 96  # px beyond a strip that AnyStyle looks at: 30 by the encoder, 60 by the decoder, made a multiple of CELL
FEWEST = 4 * HALO  # rows of its strips: fewer, and most of the work is done twice

Image = Float[Tensor, "batch 3 height width"]
Picture = Float[Tensor, "1 3 height width"]
Map = Float[Tensor, "1 channels rows columns"]
Mix = Float[Tensor, "batch styles"]
Channels = Float[Tensor, " channels"]
Read = Callable[[int, int], Tensor]  # rows from … to of a map, normalised
Write = Callable[[int, int, Tensor], None]


def paint(
    painter: Painter | AnyStyle, photographs: Image, told: Mix | Manner, alpha: float = 1.0, *, rows: int | None = None
) -> Image:
    """What `painter` paints of pictures of any size, not clipped to [0, 1]; no gradient.

    `told` is a Painter's mix of styles or an AnyStyle's manner, `alpha` the latter's. `rows` is the height of a strip
    in rows of the map that is worked on (AnyStyle: of pixels); without it, only large pictures are cut into strips.
    """
    many = isinstance(painter, Painter)
    with torch.no_grad():
        if rows is None and photographs.shape[2] * photographs.shape[3] <= (LARGE if many else LARGE_TWICE):
            whole: Tensor = painter(photographs, told) if many else painter(photographs, told, alpha)
            return whole
        painted = torch.empty_like(photographs)
        for place in range(len(photographs)):
            one, into = photographs[place : place + 1], painted[place : place + 1]
            if isinstance(painter, Painter) and isinstance(told, Tensor):
                _paint_by_layers(painter, one, told[place : place + 1], into, rows)
            elif isinstance(painter, AnyStyle) and isinstance(told, Manner):
                _paint_twice(painter, one, _of(told, place), alpha, into, rows)
        return painted


# ---- what is known of a map after all of it was seen ----------------------------------------------------


@dataclass
class Moments:
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


# ---- Painter: layer by layer --------------------------------------------------------------------------


def _paint_by_layers(painter: Painter, photograph: Picture, mix: Mix, into: Picture, rows: int | None) -> None:
    """`Painter.forward` in strips, written to `into`."""
    count, columns = (-(-side // CELL) for side in photograph.shape[2:])
    width, last = painter.enter.out_channels, painter.widen.out_channels
    pixels, kind = count * columns, _precision(painter.enter.weight)
    stays = photograph.new_empty(pixels * width, dtype=kind)
    other = photograph.new_empty(pixels * max(width, last * HALF**2), dtype=kind)
    body, inner = _as_map(stays, width, count, columns), _as_map(other, width, count, columns)

    entered = _layer(painter.enter, painter.after_enter, mix, _cells(photograph), inner, rows)
    for first, end in _strips(body, rows):
        body[:, :, first:end] = F.relu(entered(first, end), inplace=True)
    for block in painter.body:
        assert isinstance(block, Block)
        once = _layer(block.first, block.after_first, mix, _rows_of(body), inner, rows)
        added = _layer(block.second, block.after_second, mix, _bent(once), inner, rows)
        for first, end in _strips(body, rows):
            body[:, :, first:end] += added(first, end)
    wide = _as_map(other, last, HALF * count, HALF * columns)
    widened = _layer(painter.widen, painter.after_widen, mix, _twice(body), wide, rows)
    _convolve(painter.leave, _bent(widened), _strips(wide, rows), _onto(photograph, into))


def _layer(convolution: nn.Conv2d, after: Normalisation, mix: Mix, read: Read, into: Map, rows: int | None) -> Read:
    """Convolve what `read` gives into a map, and say how the map is read normalised; it may be the map that is read."""
    moments = Moments()

    def write(first: int, end: int, strip: Tensor) -> None:
        moments.add(strip)
        into[:, :, first:end] = strip

    _convolve(convolution, read, _strips(into, rows), write)
    mean, variance = (each.to(mix.device, mix.dtype) for each in _standing(moments))
    gain = (mix @ after.gain)[0] * variance
    offset = (mix @ after.offset)[0] - mean * gain
    scale, shift = (each.to(into.dtype)[None, :, None, None] for each in (gain, offset))
    return lambda first, end: torch.addcmul(shift, into[:, :, first:end], scale)


def _standing(moments: Moments) -> tuple[Channels, Channels]:
    """Mean and 1/σ."""
    mean, variance = moments.found()
    return mean, (variance + EPSILON).rsqrt()


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
        strip = F.interpolate(whole[:, :, above : -(-end // HALF)], scale_factor=HALF, mode="nearest")
        return strip[:, :, first - HALF * above : end - HALF * above]

    return read


def _onto(photograph: Picture, into: Picture) -> Write:
    """Write the photograph with what is added to it."""
    height, width = photograph.shape[2:]

    def write(first: int, end: int, strip: Tensor) -> None:
        places = slice(HALF * first, min(HALF * end, height))
        added = F.pixel_shuffle(strip, HALF)[:, :, : places.stop - places.start, :width]
        if places.start < height:
            torch.add(photograph[:, :, places], added.to(photograph.dtype), out=into[:, :, places])

    return write


# ---- AnyStyle: moments first, then the picture -----------------------------------------------------------


def _paint_twice(
    painter: AnyStyle, photograph: Picture, manner: Manner, alpha: float, into: Picture, rows: int | None
) -> None:
    """`AnyStyle.forward` in strips, written to `into`."""
    height, width = photograph.shape[2:]
    own = _seen_moments(painter, photograph, rows)
    for first, end in _bands(photograph, rows):
        above = min(first, HALO)
        painted = painter.on_cells(_band(photograph, first - above, end + HALO), manner, alpha, own)
        into[:, :, first:end] = painted[:, :, above : above + min(end, height) - first, :width]


def _seen_moments(painter: AnyStyle, picture: Picture, rows: int | None) -> dict[str, any_style.Moments]:
    """Mean and deviation of each channel at every tap, as `AnyStyle.forward` finds them of the whole."""
    moments = {tap: Moments() for tap in any_style.TAPS}
    for first, end in _bands(picture, rows):
        above = min(first, HALO)
        seen = painter.encoder(_band(picture, first - above, end + HALO), any_style.TAPS)
        for tap, found in seen.items():
            stride = painter.encoder.table[tap].stride
            moments[tap].add(found[:, :, above // stride : (above + end - first) // stride])
    found = {}
    for tap, each in moments.items():
        mean, variance = each.found()
        deviation = variance.sqrt().clamp_min(any_style.LEAST.get(tap, any_style.EPSILON))
        found[tap] = (_moment(mean, picture), _moment(deviation, picture))
    return found


def _moment(channels: Channels, like: Tensor) -> any_style.Moment:
    return channels.to(like.device, torch.float32)[None, :, None, None]


def _bands(picture: Picture, rows: int | None) -> Iterator[tuple[int, int]]:
    """From which row of pixels to which, in whole cells; the last band ends with the last cell."""
    height, width = picture.shape[2:]
    each = rows or max(FEWEST, PIXELS // width)
    each = -(-each // any_style.CELL) * any_style.CELL
    whole = height + -height % any_style.CELL
    return ((first, min(first + each, whole)) for first in range(0, whole, each))


def _band(picture: Picture, first: int, end: int) -> Float[Tensor, "1 3 band_height band_width"]:
    """Rows of a picture whose sides are made whole cells by repeating the edge; as far as there are any."""
    height, width = picture.shape[2:]
    end = min(end, height + -height % any_style.CELL)
    strip = picture[:, :, first:end]
    missing = (0, -width % any_style.CELL, 0, end - first - strip.shape[2])
    return F.pad(strip, missing, mode="replicate")


def _of(manner: Manner, place: int) -> Manner:
    """One picture's own of a batch of manners; the only one is everybody's."""

    def part(moment: Tensor) -> Tensor:
        return moment if len(moment) == 1 else moment[place : place + 1]

    return Manner({tap: (part(mean), part(deviation)) for tap, (mean, deviation) in manner.moments.items()})
