"""Films into files with PyAV: H.264, VP9, animated WebP, and GIF with one palette for all of it.

The same frames give the same bytes: encoders run with a fixed number of threads, whatever the machine has, and
nothing random or dated is written.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from gramarye.errors import ImageError
from gramarye.video import colours
from gramarye.video.film import Film, Frame, pyav
from gramarye.video.sound import Sound

THREADS = 1  # what x264 writes depends on their number; frames take longer to paint than to encode
QUALITY = 18  # CRF of x264: visually lossless
CLOCK = Fraction(1, 100)  # second, GIF's unit
LEAST = 2  # of these units, below which browsers show a frame for ten
BT709_TAG = 1  # as primaries, transfer and matrix (ITU-T H.273)


@dataclass(frozen=True)
class Format:
    """How a film is written: FFmpeg's names of container, codec and pixel format, and their options."""

    container: str
    codec: str
    pixels: str
    options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    has_sound: bool = False
    scale: float = 1.0  # of CRF, for codecs that count otherwise than x264


# Without x264's macroblock tree, which is not the same twice (with its assembly, at some sizes): the same 30 frames of
# 96 × 48 came out in 59 ways of 422 with it, in 1 of 385 without. Files are a quarter larger.
_X264 = {"preset": "medium", "profile": "high", "x264-params": "mbtree=0"}
_VP9 = {"b": "0", "deadline": "good", "cpu-used": "3", "row-mt": "0", "auto-alt-ref": "1", "lag-in-frames": "16"}
_FAST = {"movflags": "+faststart"}  # the index before the pictures: players begin before all is fetched
FORMATS = {
    ".mp4": Format("mp4", "libx264", "yuv420p", _X264, _FAST, has_sound=True),
    ".mov": Format("mov", "libx264", "yuv420p", _X264, _FAST, has_sound=True),
    ".mkv": Format("matroska", "libx264", "yuv420p", _X264, has_sound=True),
    ".webm": Format("webm", "libvpx-vp9", "yuv420p", _VP9, has_sound=True, scale=1.4),
    ".webp": Format("webp", "libwebp_anim", "bgra", {"quality": "85", "compression_level": "4"}, {"loop": "0"}),
    ".gif": Format("gif", "gif", "pal8", container_options={"loop": "0"}),
}
_SPOOL = Format("matroska", "ffv1", "bgr0", {"level": "3"})


class Encoder:
    """A film being written into the file `path`: `write` its frames, then `close`, or `abort`.

    Sides that 4:2:0 needs even are cut to even numbers of pixels.
    """

    def __init__(
        self, path: Path, form: Format, film: Film, size: tuple[int, int], *, suffix: str = "", quality: int = QUALITY
    ) -> None:
        av = pyav()
        self._path, self._film, self._form = path, film, form
        self._draw = colours.Writing(form.pixels)
        self._base = 1 / film.rate if film.constant or film.timetable is None else film.timetable.base
        self._size = tuple(side - side % 2 for side in size) if form.pixels == "yuv420p" else size
        self._pending: tuple[Any, int] | None = None
        self._held: Any = None
        self._durations: dict[int, int] = {}
        self._origin = Fraction(0)
        self._last = 0
        self._sound: Sound | None = None
        self._container = av.open(f"file:{path}", "w", format=form.container, container_options=form.container_options)
        self._container.flags |= av.container.Flags.bitexact.value
        try:
            self._stream = self._video(quality)
            if suffix and film.sound and film.kind == "video":
                self._sound = Sound(film, self._container, suffix)
        except BaseException:
            self.abort()
            raise

    def _video(self, quality: int) -> Any:
        form = self._form
        options = dict(form.options)
        if form.pixels == "yuv420p":
            options["crf"] = str(round(quality * form.scale))
        stream = self._container.add_stream(form.codec, rate=self._film.rate, options=options)
        stream.height, stream.width = self._size
        context = stream.codec_context
        context.pix_fmt, context.time_base = form.pixels, self._base
        context.thread_count, context.thread_type = THREADS, "FRAME"
        if form.pixels == "yuv420p":
            context.color_range, context.colorspace = colours.LIMITED, BT709_TAG
            context.color_primaries, context.color_trc = BT709_TAG, BT709_TAG
        return stream

    @property
    def notes(self) -> list[str]:
        """Remarks on what was done."""
        return [] if self._sound is None else self._sound.notes

    def write(self, frame: Frame) -> None:
        """The next frame; it is encoded when the one after it tells for how long it is shown."""
        height, width = self._size
        picture = self._draw(frame.pixels[:, :, :height, :width])
        if self._pending is None:
            self._origin = frame.time
            if self._sound is not None:
                self._sound.begin(self._origin)
        stamp = round((frame.time - self._origin) / self._base)
        if self._pending is not None:
            if stamp <= self._pending[1]:
                received = f"{float(frame.time):g} s after {float(self._pending[1] * self._base + self._origin):g} s"
                raise ImageError("frames are written in their order", received, "give each a later time")
            self._encode(stamp - self._pending[1])
        self._pending = picture, stamp
        self._last = frame.index
        if self._sound is not None:
            self._sound.advance(stamp * self._base)

    def _encode(self, duration: int) -> None:
        assert self._pending is not None
        picture, stamp = self._pending
        picture.pts, picture.time_base, picture.duration = stamp, self._base, duration
        self._durations[stamp] = duration
        self._put(self._stream.encode(picture))

    def _put(self, packets: Any) -> None:
        """Put all but the last of the packets so far into the container."""
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, packet.duration)
            if self._held is not None:
                self._container.mux(self._held)
            self._held = packet

    def _put_last(self, end: int) -> None:
        """The packet that is stored last need not be shown last, but in MP4 it alone may last until the end."""
        if self._form.container in {"mp4", "mov"} and not self._film.constant:
            self._held.duration = end - self._held.pts
        self._container.mux(self._held)

    def close(self) -> None:
        """Write what is left."""
        assert self._pending is not None
        duration = self._final()
        end = self._pending[1] + duration
        self._encode(duration)
        self._put(self._stream.encode(None))
        self._put_last(end)
        if self._sound is not None:
            is_whole = self._film.frames is not None and self._last == self._film.frames - 1
            self._sound.finish(None if is_whole else end * self._base)
        self._container.close()
        if self._form.container == "webp":
            _show_last(self._path, round(duration * self._base * 1000))

    def _final(self) -> int:
        """For how many units the last frame is shown."""
        table = self._film.timetable
        if self._film.constant or table is None:
            return 1
        after = self._last + 1
        end = int(table.stamps[after]) if after < len(table.stamps) else table.end
        return max(1, end - int(table.stamps[min(self._last, len(table.stamps) - 1)]))

    def abort(self) -> None:
        """Let go of the file."""
        if self._sound is not None:
            self._sound.close()
        with suppress(Exception):  # it is thrown away
            self._container.close()


def _show_last(path: Path, milliseconds: int) -> None:
    """Set for how long the last frame of a WebP is shown, which FFmpeg leaves at the mean of the others.

    Chunks of RIFF follow one another, padded to even lengths; in ANMF three bytes from the 12th on are the
    duration (WebP Container Specification, "Animation").
    """
    with path.open("r+b") as file:
        at, last, end = 12, None, file.seek(0, 2)
        while at + 8 <= end:
            file.seek(at)
            kind, length = struct.unpack("<4sI", file.read(8))
            last = at if kind == b"ANMF" else last
            at += 8 + length + length % 2
        if last is not None:
            file.seek(last + 8 + 12)
            file.write(milliseconds.to_bytes(3, "little"))


class Gif:
    """A GIF being written: frames are kept in the file `spool` until all their colours are known.

    One palette for the film, and error diffusion (Sierra's) that rests where nothing moves. Times are hundredths of a
    second; of frames closer than two of these some are left out.
    """

    def __init__(self, path: Path, spool: Path, film: Film, size: tuple[int, int]) -> None:
        self._path, self._spool, self._film, self._size = path, spool, film, size
        self._stamps: list[int] = []
        self._origin: Fraction | None = None
        self._length = Fraction(0)
        self._frames = Encoder(spool, _SPOOL, film, size)
        self._draw = colours.Writing("bgra")
        self._palette = _graph(size, "palettegen", stats_mode="full")
        self.notes: list[str] = []

    def write(self, frame: Frame) -> None:
        """The next frame."""
        self._origin = frame.time if self._origin is None else self._origin
        stamp = round((frame.time - self._origin) / CLOCK)
        self._length = frame.time - self._origin + 1 / self._film.rate
        if self._stamps and stamp < self._stamps[-1] + LEAST:
            return
        self._stamps.append(stamp)
        self._frames.write(frame)
        self._palette.push(self._draw(frame.pixels))

    def close(self) -> None:
        """Find the palette, and encode all frames with it."""
        self._frames.close()
        self._palette.push(None)
        palette = self._palette.pull()
        painted = _graph(self._size, "paletteuse", palette, dither="sierra2_4a", diff_mode="rectangle")
        end = max(self._stamps[-1] + LEAST, round(self._length / CLOCK))
        av = pyav()
        options = {**FORMATS[".gif"].container_options, "final_delay": str(end - self._stamps[-1])}
        with (
            av.open(f"file:{self._path}", "w", format="gif", container_options=options) as container,
            av.open(f"file:{self._spool}") as spool,
        ):
            container.flags |= av.container.Flags.bitexact.value
            stream = container.add_stream("gif", rate=Fraction(100), width=self._size[1], height=self._size[0])
            stream.codec_context.pix_fmt, stream.codec_context.time_base = "pal8", CLOCK
            for stamp, frame in zip(self._stamps, spool.decode(video=0), strict=True):
                painted.vpush(frame.reformat(format="bgra", threads=1), at=0)
                picture = painted.vpull()
                picture.pts, picture.time_base = stamp, CLOCK
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        self._spool.unlink()

    def abort(self) -> None:
        """Let go of the files."""
        self._frames.abort()
        with suppress(OSError):
            self._spool.unlink(missing_ok=True)


def _graph(size: tuple[int, int], name: str, palette: Any = None, **options: str) -> Any:
    """One of FFmpeg's filters for frames of this size; `palette` is its second input."""
    graph = pyav().filter.Graph()
    height, width = size
    source = graph.add_buffer(width=width, height=height, format=_bgra(), time_base=CLOCK)
    node, sink = graph.add(name, **options), graph.add("buffersink")
    source.link_to(node, 0, 0)
    if palette is not None:
        second = graph.add_buffer(width=palette.width, height=palette.height, format=_bgra(), time_base=CLOCK)
        second.link_to(node, 0, 1)
    node.link_to(sink)
    graph.configure()
    if palette is not None:
        graph.vpush(palette, at=1)
        graph.vpush(None, at=1)
    return graph


def _bgra() -> Any:
    return pyav().VideoFormat("bgra")
