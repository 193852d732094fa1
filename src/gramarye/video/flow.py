"""Where everything went between two frames: optical flow, what of it to trust, cuts, `.flo` files, and pictures.

Frames are 1 3 H W, sRGB in [0, 1]. A flow belongs to the frame that it starts from: `flow(now, then)` says for every
pixel of `now` where the same thing is found in `then`, and with it `warp` brings `then` into the places of `now`.
"""

from __future__ import annotations

import math
import os
import struct
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from gramarye import blur, images
from gramarye.errors import ImageError, MissingExtraError
from gramarye.files import open_regular, writable, write_atomically
from gramarye.video import edges

Pixels = Float[Tensor, "1 3 height width"]
Flow = Float[Tensor, "1 2 height width"]  # (dx, dy) in pixels: where a pixel of `first` is found in `second`
Mask = Float[Tensor, "1 1 height width"]  # 1 where a pixel is seen in both frames

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as OpenCV makes grey of colours
SMALLEST = 64  # px: smaller frames leave DIS' pyramid (patches of 8, from half size down) without a level
FINE = 600_000  # pixels: up to here the search ends at full size: two thirds of the error in five times the time
DOUBLED = 120_000  # pixels: up to here it ends at twice that, so that it finds the edges of what moves
REFINED = {"Alpha": 40.0, "FixedPointIterations": 2, "SorIterations": 5}  # twice OpenCV's weight of smoothness
STRETCH = 0.01  # Ruder et al. 2016, eq. 5
SLACK = 2.0  # px²; the paper has .5
ALIKE = 0.07  # of white: what differs less is taken for the same, though flow is not sure of it
NEIGHBOURHOOD = 5  # px on a side, over which two frames are compared

CUT_SIDE = 256  # px, long side at which two frames are compared
CUT_COLOURS = 0.25  # share of pixels whose colour has no counterpart
CUT_UNEXPLAINED = 0.75  # share of pixels that are not found in the other frame
CUT_SLACK = 0.5  # px²
BINS = 8  # of a colour histogram, per channel
STRUCTURE = (1.5, 0.03**2, 0.5)  # window's σ and constant: Wang et al. 2004; half of the structure is lost

TAG = 202021.25  # "PIEH" as a little-endian float: Baker et al. 2007
LONGEST = 99_999  # px a side, as Middlebury's own reader has it
UNKNOWN = 1e9  # longer than this, a flow is not known there
WHEEL = (15, 6, 4, 11, 13, 6)  # steps from red over yellow, green, cyan, blue and magenta to red: Baker et al. 2007
CORNERS = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1), (1, 0, 0))
VEIL = (0.85, 0.45, 0.10)  # a report's orange

# ---- flow ------------------------------------------------------------------------------------------


def flow(first: Pixels, second: Float[Tensor, "1 3 h w"]) -> Flow:
    """Where every pixel of `first` is found in `second`, (dx, dy) in pixels.

    Dense inverse search; then `edges.settled`, since that is smooth across the edges of what moves; then variational
    refinement. Frames of more than FINE pixels are searched alone. The same frames give the same flow, bit by bit, with
    any number of threads. Raises ImageError unless both have one size, MissingExtraError without OpenCV.
    Brox et al. 2004, "High Accuracy Optical Flow Estimation Based on a Theory for Warping".
    """
    cv2, pixels = _cv2(), first.shape[2] * first.shape[3]
    found = _searched(first, second, twice=pixels <= DOUBLED)
    if pixels <= FINE:
        here, there = (_array(_framed(each)) for each in (first, second))
        found = edges.settled(cv2, here, there, found)
        refine = cv2.VariationalRefinement_create()
        for name, value in REFINED.items():
            getattr(refine, f"set{name}")(value)
        found = refine.calc(_grey(first), _grey(second), found)
    return _as_flow(found, first)


def matched(now: Pixels, then: Float[Tensor, "1 3 h w"]) -> tuple[Flow, Mask]:
    """Where every pixel of `now` is found in `then`, and 1 where it can be taken from there, 0 where not.

    That is where it is `visible`, and inside the frame also where both look the same (`difference` under ALIKE): there
    flow may err, or something may come to light that looks like what hid it, and a painting of the one does for the
    other. Painted anew it would flicker. Raises as `flow` does.
    """
    backward, forward = flow(now, then), flow(then, now)
    alike = (difference(now, then, backward) < ALIKE) & ~_outside(backward)
    return backward, torch.maximum(visible(forward, backward), alike.to(backward.dtype))


def difference(now: Pixels, then: Float[Tensor, "1 3 h w"], flow: Flow) -> Float[Tensor, "1 1 height width"]:
    """How far `now` differs from `then` moved to its places; white and black differ by 1.

    d is the difference in the channel that differs most, continued by its edge beyond the border; found is the mean
    of d in 5 × 5 px, which noise does not trouble, or d/2 where that is more: a thing may be a pixel wide.
    """
    apart = (now - warp(then, flow)).abs().amax(1, keepdim=True)
    around = NEIGHBOURHOOD // 2
    padded = functional.pad(apart, (around, around, around, around), mode="replicate")
    return torch.maximum(functional.avg_pool2d(padded, NEIGHBOURHOOD, stride=1), apart / 2)


def warp(picture: Float[Tensor, "1 channels height width"], flow: Flow) -> Float[Tensor, "1 channels height width"]:
    """W(p)(x) = p(x + flow(x)): bilinear, continued by its edge beyond the border, exact for whole pixels.

    Torch's grid_sample counts places from −1 to 1, and would blur even a still picture by what they are rounded; in
    a picture that is filled up to powers of two they are not.
    """
    sides = tuple(picture.shape[:1:-1])  # width, height
    full = [1 << (side - 1).bit_length() for side in sides]
    whole = functional.pad(picture, (0, full[0] - sides[0], 0, full[1] - sides[1]))
    places = [place.clamp(0, side - 1) for place, side in zip(_places(flow), sides, strict=True)]
    grid = torch.stack([(2 * place + 1) / side - 1 for place, side in zip(places, full, strict=True)], dim=-1)
    return functional.grid_sample(whole, grid[None].to(picture), padding_mode="border", align_corners=False)


def visible(forward: Flow, backward: Flow) -> Mask:
    """1 where a pixel of `now` can be taken from `then`, for forward = flow(then, now), backward = flow(now, then).

    0 where |w̃ + ŵ|² > .01·(|w̃|² + |ŵ|²) + 2, with ŵ the backward flow and w̃ = W(forward), the forward one in the
    places of `now`: where going there and back does not lead home, which is what appears anew; and where ŵ leads out
    of the frame. `then` may be the frame before or the one after. Ruder et al. 2016, "Artistic style transfer for
    videos", eq. 5.
    Differs from the paper, which has .5 for 2, and mistrusts motion boundaries too (eq. 6): what they take away is
    mostly seen, and flickers. Differs from their program, which also blurs the mask and never trusts the last row and
    column.
    """
    return _leads_home(forward, backward, SLACK)


def _leads_home(forward: Flow, backward: Flow, slack: float) -> Mask:
    there = warp(forward, backward)
    allowed = STRETCH * (_squared(there) + _squared(backward)) + slack
    return ((_squared(there + backward) <= allowed) & ~_outside(backward)).to(backward.dtype)


def _searched(first: Tensor, second: Tensor, *, twice: bool = False) -> Any:
    """The flow of dense inverse search, H W 2 as the frames are `_framed`: OpenCV's medium.

    In frames of at most FINE pixels it goes on to full size, where OpenCV's medium ends at half, or to `twice` that.
    Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search".
    """
    if first.shape != second.shape:
        received = " and ".join(f"{each.shape[3]} × {each.shape[2]}" for each in (first, second))
        raise ImageError("two frames of a film must have one size", received, "resize them")
    cv2, greys = _cv2(), [_grey(each) for each in (first, second)]
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    if first.shape[2] * first.shape[3] <= FINE:
        search.setFinestScale(0)
    if not twice:
        return search.calc(*greys, None)
    large = (cv2.resize(each, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for each in greys)
    return cv2.resize(search.calc(*large, None), greys[0].shape[::-1], interpolation=cv2.INTER_AREA) / 2


def _cv2() -> Any:
    try:
        import cv2
    except ImportError as error:
        rule, remedy = "optical flow needs OpenCV", 'pip install "gramarye[video]"'
        raise MissingExtraError(rule, "no module cv2", remedy) from error
    return cv2


def _luma(frame: Tensor) -> Tensor:
    return (frame * frame.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def _framed(frame: Tensor) -> Tensor:
    """In [0, 1]; a small frame is continued by its edge to the right and below."""
    height, width = frame.shape[2:]
    beyond = (0, max(0, SMALLEST - width), 0, max(0, SMALLEST - height))
    return functional.pad(frame.detach().float().clamp(0, 1), beyond, mode="replicate")


def _grey(frame: Tensor) -> Any:
    """8 bits, as OpenCV has it, `_framed`."""
    return (_luma(_framed(frame))[0, 0] * 255).round().to("cpu", torch.uint8).numpy()


def _array(planes: Tensor) -> Any:
    """H W C, as OpenCV has it."""
    return planes[0].permute(1, 2, 0).cpu().contiguous().numpy()


def _as_flow(found: Any, frame: Tensor) -> Flow:
    height, width = frame.shape[2:]
    return torch.from_numpy(found[:height, :width]).permute(2, 0, 1)[None].contiguous().to(frame.device)


def _places(flow: Tensor) -> tuple[Tensor, Tensor]:
    """Where every pixel is led, x and y, H W each."""
    height, width = flow.shape[2:]
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype)
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype)
    return flow[0, 0] + columns, flow[0, 1] + rows[:, None]


def _squared(flow: Tensor) -> Tensor:
    """|w|², 1 1 H W."""
    return flow.square().sum(1, keepdim=True)


def _outside(flow: Tensor) -> Tensor:
    """Where a flow leads out of the frame, which reaches half a pixel beyond the centres of its outermost ones."""
    height, width = flow.shape[2:]
    x, y = _places(flow)
    return ((x < -0.5) | (x > width - 0.5) | (y < -0.5) | (y > height - 0.5))[None, None]


# ---- cuts ------------------------------------------------------------------------------------------


def is_cut(first: Pixels, second: Pixels) -> bool:
    """Whether another shot begins between two frames: other colours, and flow does not find one in the other.

    Colours alone would take a flash for a cut, flow alone fast motion: see `colour_distance` and `unexplained`.
    """
    small = [_small(each) for each in (first, second)]
    return colour_distance(*small) > CUT_COLOURS and unexplained(*small) > CUT_UNEXPLAINED


def colour_distance(first: Pixels, second: Float[Tensor, "1 3 h w"]) -> float:
    """The share of pixels whose colour has no counterpart: ½·Σ|h₁ − h₂|, h of BINS³ colours; 0 to 1."""
    here, there = (_histogram(each) for each in (first, second))
    return float((here - there).abs().sum() / 2)


def unexplained(first: Pixels, second: Pixels) -> float:
    """The share of pixels of `second` that flow does not find in `first`; 0 to 1.

    Found is where dense inverse search leads there and home (equation 5), and contrast and structure around the pixel
    are half those of `first` warped, or more: (2·σ₁₂ + c)/(σ₁² + σ₂² + c) ≥ ½, which is SSIM (Wang et al. 2004)
    without its brightness, so that a flash does not count.
    """
    forward, backward = (_as_flow(_searched(*each), first) for each in ((first, second), (second, first)))
    alike = _structure(_luma(second), _luma(warp(first, backward))) >= STRUCTURE[2]
    return 1 - float((alike * _leads_home(forward, backward, CUT_SLACK)).mean())


def _small(frame: Tensor) -> Tensor:
    size = (frame.shape[2], frame.shape[3])
    return frame if max(size) <= CUT_SIDE else images.resize(frame, images.fitted_size(size, CUT_SIDE))


def _histogram(frame: Tensor) -> Tensor:
    bins = (frame.clamp(0, 1) * BINS).long().clamp(max=BINS - 1)
    colour = (bins[0, 0] * BINS + bins[0, 1]) * BINS + bins[0, 2]
    counts = torch.bincount(colour.flatten(), minlength=BINS**3).float()
    return counts / counts.sum()


def _structure(one: Tensor, other: Tensor) -> Tensor:
    deviation, constant, _ = STRUCTURE
    means = blur.gaussian(one, deviation), blur.gaussian(other, deviation)
    variances = [
        blur.gaussian(each * each, deviation) - mean**2 for each, mean in zip((one, other), means, strict=True)
    ]
    covariance = blur.gaussian(one * other, deviation) - means[0] * means[1]
    return (2 * covariance + constant) / (variances[0] + variances[1] + constant)


# ---- files -----------------------------------------------------------------------------------------


def read_flo(path: str | os.PathLike[str]) -> Flow:
    """The flow in a Middlebury `.flo` file; raises ImageError for whatever is not one, or not whole.

    A flow longer than UNKNOWN in a place is not known there. Baker et al. 2007, "A Database and Evaluation
    Methodology for Optical Flow".
    """
    path = Path(path)
    with open_regular(path) as file:
        length = os.fstat(file.fileno()).st_size
        width, height = _size_of(file.read(12), length, path)
        samples = torch.frombuffer(bytearray(file.read()), dtype=torch.float32)
    if not bool(samples.isfinite().all()):
        raise ImageError("a flow must hold finite values", f"{path.name}: NaN or infinity", "write it again")
    return samples.view(1, height, width, 2).permute(0, 3, 1, 2).contiguous()


def write_flo(path: str | os.PathLike[str], flow: Flow) -> None:
    """Write a flow as a Middlebury `.flo` file, whole or not at all; raises ImageError."""
    height, width = flow.shape[2:]
    samples = flow.detach().to("cpu", torch.float32)[0].permute(1, 2, 0).contiguous().numpy()
    header = struct.pack("<fii", TAG, width, height)
    write_atomically(writable(Path(path)), header + samples.astype("<f4").tobytes())


def _size_of(header: bytes, length: int, path: Path) -> tuple[int, int]:
    rule, remedy = "a flow must be a whole Middlebury .flo file", "name one, or write it again"
    if len(header) < 12 or struct.unpack("<f", header[:4])[0] != TAG:
        raise ImageError(rule, f"{path.name}: a file that begins {header[:4]!r}", remedy)
    width, height = struct.unpack("<ii", header[4:])
    if not (1 <= width <= LONGEST and 1 <= height <= LONGEST):
        raise ImageError(rule, f"{path.name}: {width} × {height} pixels", remedy)
    if length != 12 + 8 * width * height:
        received = f"{path.name}: {length} bytes for {width} × {height} pixels, which need {12 + 8 * width * height}"
        raise ImageError(rule, received, remedy)
    return width, height


# ---- pictures --------------------------------------------------------------------------------------


def as_picture(flow: Flow, longest: float | None = None) -> Pixels:
    """A flow as colours: the hue is its direction, the paler the shorter, white where nothing moves.

    `longest` in pixels has the full colour, the longest of the flow by default; what is longer is darkened, what is
    not known (UNKNOWN) is black. Middlebury's colour wheel: Baker et al. 2007, colorcode.cpp.
    """
    unknown = (flow.abs() > UNKNOWN).any(1, keepdim=True)
    known = flow.masked_fill(unknown, 0)
    length = _squared(known).sqrt()
    radius = length / max(longest or float(length.max()), 1e-9)
    wheel = _wheel().to(flow)
    turn = (torch.atan2(-known[0, 1], -known[0, 0]) / math.pi + 1) / 2 * (len(wheel) - 1)
    before = turn.floor().long()
    colour = wheel[before].lerp(wheel[(before + 1) % len(wheel)], (turn - before)[..., None]).permute(2, 0, 1)[None]
    colour = torch.where(radius <= 1, 1 - radius * (1 - colour), 0.75 * colour)
    return colour.masked_fill(unknown, 0)


def veiled(picture: Pixels, mask: Mask) -> Pixels:
    """A picture with an orange veil over what `mask` does not see."""
    veil = picture.new_tensor(VEIL).view(1, 3, 1, 1)
    return picture.lerp(veil.expand_as(picture), 0.75 * (1 - mask.to(picture)))


def _wheel() -> Float[Tensor, "steps 3"]:
    """The colours around the wheel, from corner to corner."""
    corners = torch.tensor(CORNERS, dtype=torch.float32)
    return torch.cat(
        [
            start + (end - start) * torch.arange(steps)[:, None] / steps
            for start, end, steps in zip(corners[:-1], corners[1:], WHEEL, strict=True)
        ]
    )
