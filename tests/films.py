"""Small films for tests: every frame shows its own number, so that one can tell which it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from gramarye.video.frames import Film, Frame

HEIGHT, WIDTH, BITS = 48, 64, 8
DARK, LIGHT = 40, 215
Array = NDArray[Any]


def numbered(index: int, height: int = HEIGHT, width: int = WIDTH) -> Array:
    """A picture that shows `index` as BITS upright bars, light for 1, on a slope of colours."""
    bars = np.array([LIGHT if index >> bit & 1 else DARK for bit in range(BITS)], np.uint8)
    columns = np.minimum(np.arange(width) * BITS // width, BITS - 1)
    picture = np.repeat(bars[columns][None], height, axis=0)[..., None].repeat(3, axis=2).astype(np.int16)
    picture[..., 2] += np.linspace(-30, 30, height).astype(np.int16)[:, None]
    return picture.clip(0, 255).astype(np.uint8)


def number_in(pixels: torch.Tensor) -> int:
    """Which number a picture shows."""
    width = pixels.shape[3]
    means = pixels[0, 1].mean(0)
    lit = [float(means[round((bit + 0.25) * width / BITS) : round((bit + 0.75) * width / BITS)].mean()) > 0.5
           for bit in range(BITS)]  # fmt: skip
    return sum(1 << bit for bit, on in enumerate(lit) if on)


def tensor(picture: Array) -> torch.Tensor:
    """`H W 3` of 8 bits as 1 3 H W in [0, 1]."""
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255


def frame(index: int, rate: Fraction | int = 24, height: int = HEIGHT, width: int = WIDTH) -> Frame:
    """A numbered frame, at a constant rate."""
    return Frame(index, Fraction(index) / rate, tensor(numbered(index, height, width)))


def plan(
    rate: Fraction | int = 24, count: int | None = None, size: tuple[int, int] = (HEIGHT, WIDTH), **fields: Any
) -> Film:
    """A film that lies nowhere, for the writer to be told about."""
    return Film(Path("nowhere"), size, Fraction(rate), count, (count or 0) / float(rate), False, 0, "folder", **fields)


def video(
    path: Path,
    count: int = 24,
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    rate: Fraction | int = 24,
    size: tuple[int, int] = (HEIGHT, WIDTH),
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    format: str | None = None,
    times: Sequence[int] | None = None,
    base: Fraction | None = None,
    degrees: int = 0,
    sound: str | None = None,
    late: Fraction = Fraction(0),
    tags: dict[str, int] | None = None,
    draw: Callable[[int, int, int], Array] = numbered,
) -> Path:
    """A film of numbered frames; `times` are in units of `base`; `sound` is a codec, of a tone as long as the film."""
    with av.open(str(path), "w", format=format, container_options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = size
        stream.codec_context.pix_fmt = pixels
        stream.codec_context.time_base = base or 1 / Fraction(rate)
        stream.codec_context.thread_count = 1
        for name, value in (tags or {}).items():
            setattr(stream.codec_context, name, value)
        if degrees:
            stream.set_display_rotation(degrees)
        track = None if sound is None else container.add_stream(sound, rate=48000)
        if track is not None:
            track.codec_context.layout = "mono"
        shift = round(late / stream.codec_context.time_base)
        for index in range(count):
            picture = av.VideoFrame.from_ndarray(draw(index, *size), format="rgb24").reformat(format=pixels)
            picture.pts = (index if times is None else times[index]) + shift
            picture.time_base = stream.codec_context.time_base
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
        if track is not None:
            for piece in tone(float(count / Fraction(rate) + late)):
                container.mux(track.encode(piece))
            container.mux(track.encode(None))
    return path


def tone(seconds: float, rate: int = 48000, hertz: float = 440.0) -> Iterable[Any]:
    """A sine that begins at once, in pieces."""
    wave = np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate).astype(np.float32) * 0.5
    for at in range(0, len(wave), 1024):
        piece = av.AudioFrame.from_ndarray(wave[None, at : at + 1024].copy(), format="fltp", layout="mono")
        piece.sample_rate, piece.pts, piece.time_base = rate, at, Fraction(1, rate)
        yield piece


def coloured(
    path: Path, values: tuple[int, int, int], pixels: str, tags: dict[str, int], codec: str, **more: Any
) -> Path:
    """A film of three frames, all of one colour that is given as Y, Cb and Cr, in as many bits as `pixels` has."""
    size = more.pop("size", (HEIGHT, WIDTH))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24, options=more)
        stream.height, stream.width = size
        stream.codec_context.pix_fmt = pixels
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        for index in range(3):
            picture = av.VideoFrame(size[1], size[0], pixels)
            deep = picture.format.components[0].bits > 8
            for plane, value in zip(picture.planes, values, strict=True):
                plane.update(np.full(plane.buffer_size // (2 if deep else 1), value, np.uint16 if deep else np.uint8))
            for name, value in tags.items():
                setattr(picture, name, value)
            picture.pts = index
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def animation(path: Path, count: int = 6, *, duration: int | list[int] = 80, draw: Any = numbered, **more: Any) -> Path:
    """An animated GIF, WebP or PNG of numbered frames."""
    pictures = [Image.fromarray(draw(index)) for index in range(count)]
    more = {"loop": 0, **({"lossless": True} if path.suffix == ".webp" else {}), **more}
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=duration, **more)
    return path


def folder(path: Path, names: Sequence[str], size: tuple[int, int] = (HEIGHT, WIDTH)) -> Path:
    """A folder of numbered pictures, in the order of their names."""
    path.mkdir()
    for index, name in enumerate(names):
        Image.fromarray(numbered(index, *size)).save(path / name)
    return path


def shown(path: Path) -> list[tuple[int, Fraction]]:
    """The number and the time of every frame that a player shows, decoded without our own reader."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoded = list(container.decode(stream))
        base = stream.time_base
    pictures = [torch.from_numpy(each.to_ndarray(format="rgb24")).permute(2, 0, 1)[None] / 255 for each in decoded]
    return [(number_in(each), one.pts * base) for each, one in zip(pictures, decoded, strict=True)]


def names_in(folder: Path) -> list[str]:
    """What lies in a folder, by name."""
    return sorted(each.name for each in folder.iterdir())


def heard(path: Path) -> tuple[list[bytes], list[Fraction], str]:
    """The packets of a film's first sound track, their times in seconds, and its codec."""
    with av.open(str(path)) as container:
        track = container.streams.audio[0]
        packets = [packet for packet in container.demux(track) if packet.size]
        times = [packet.pts * Fraction(packet.time_base) for packet in packets]
        return [bytes(packet) for packet in packets], times, track.codec_context.codec.canonical_name


def onset(path: Path) -> float:
    """When the sound of a film begins, in seconds: where its tone is first louder than a tenth."""
    with av.open(str(path)) as container:
        for piece in container.decode(container.streams.audio[0]):
            wave = np.abs(piece.to_ndarray().astype(np.float32)).reshape(-1)
            loud = np.flatnonzero(wave > 0.1)
            if len(loud):
                channels = 1 if piece.format.is_planar else piece.layout.nb_channels
                return float(piece.pts * piece.time_base) + loud[0] / channels / piece.sample_rate
    raise AssertionError("silence")
