"""A film of a painting coming into being: an animated WebP, or an MP4 with the optional extra `video`.

The frames lie denser at the beginning, where most happens. They are kept small, in 8 bits, at the size
of the scale at which they were painted, and grow to the film's size when the film is written.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import images
from gramarye.errors import MissingExtraError
from gramarye.files import destination_of, writable, write_atomically

FRAMES = 120  # at most
LONG_SIDE = 960  # pixels, at most: keeps the frames of the last scale under 250 MB
RATE = 15  # frames a second
BEFORE, AFTER = 8, 30  # frames for which the first and the last picture stand still
WEBP = {"quality": 82, "method": 2, "loop": 0}
CRF = "18"  # x264: visually lossless


def frame_indices(evaluations: int) -> tuple[int, ...]:
    """After which evaluations a frame is taken, 0 being the start: all of few, else k² apart, to the last one."""
    if evaluations < FRAMES:
        return tuple(range(evaluations + 1))
    last = FRAMES - 1
    return tuple(sorted({round(evaluations * (k / last) ** 2) for k in range(FRAMES)}))


def check(path: Path) -> Path:
    """Where the film would be written; raises ImageError, or MissingExtraError when MP4 lacks its package."""
    return destination_of(path, "a film", {".webp": None, ".mp4": _av})


class Film:
    """The frames of a painting of so many evaluations, as they come."""

    def __init__(self, evaluations: int) -> None:
        self._wanted = frame_indices(evaluations)
        self._frames: list[Tensor] = []

    def is_due(self, before: int, index: int) -> bool:
        """Whether a frame is wanted of what comes after evaluation `before`, up to `index`."""
        return any(before < each <= index for each in self._wanted)

    def take(self, pixels: Float[Tensor, "1 3 h w"]) -> None:
        """Keep a picture as the next frame."""
        self._frames.append(_small(pixels))

    def write(self, path: Path, last: Float[Tensor, "1 3 h w"]) -> None:
        """Write the film, ending with the picture `last`, whole or not at all; raises ImageError."""
        size = _fitted(last)
        frames = [*self._frames, _small(last)]
        grown = (images.to_uint8(images.resize(frame.float() / 255, size)) for frame in frames)
        encode = _mp4 if path.suffix.lower() == ".mp4" else _webp
        write_atomically(writable(path), encode(grown, len(frames), size))

    def state(self) -> list[Tensor]:
        """The frames so far, for a checkpoint."""
        return list(self._frames)

    def restore(self, state: Sequence[Tensor]) -> None:
        """Go on from what `state` told."""
        self._frames = list(state)


def _small(pixels: Tensor) -> Tensor:
    """8 bits, no larger than a film."""
    shrunk = images.resize(pixels.detach().float().clamp(0, 1), _fitted(pixels))
    return (shrunk * 255).round().to("cpu", torch.uint8)


def _fitted(pixels: Tensor) -> tuple[int, int]:
    size = (pixels.shape[2], pixels.shape[3])
    return size if max(size) <= LONG_SIDE else images.fitted_size(size, LONG_SIDE)


def _webp(frames: Iterator[Any], count: int, _: tuple[int, int]) -> bytes:
    durations = [round(1000 / RATE) * _held(number, count) for number in range(count)]
    pictures = [images.to_pil(torch.from_numpy(frame).permute(2, 0, 1)[None] / 255) for frame in frames]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "WEBP", save_all=True, append_images=pictures[1:], duration=durations, **WEBP)
    return buffer.getvalue()


def _mp4(frames: Iterator[Any], count: int, size: tuple[int, int]) -> bytes:
    """H.264 in 4:2:0, which every player shows; sides are cut to even numbers of pixels."""
    av = _av()
    height, width = (side - side % 2 for side in size)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "film.mp4"  # a file: what a browser reads first can only be put first in one
        with av.open(str(file), "w", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=RATE, options={"crf": CRF})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for number, pixels in enumerate(frames):
                picture = av.VideoFrame.from_ndarray(pixels[:height, :width].copy(), format="rgb24")
                for _ in range(_held(number, count)):
                    container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        return file.read_bytes()


def _held(number: int, count: int) -> int:
    """For how many frames a picture stands."""
    return AFTER if number == count - 1 else BEFORE if number == 0 else 1


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        remedy = 'pip install "gramarye[video]", or write a .webp'
        raise MissingExtraError("an MP4 film needs PyAV", "no module av", remedy) from error
    return av
