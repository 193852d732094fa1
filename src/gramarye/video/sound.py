"""The sound of a film on its way into another: copied as it is where the new container takes it, else encoded anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from gramarye.video import containers
from gramarye.video.film import Film, pyav

COPIED = {  # what is copied, beside what every .mkv takes
    ".mp4": {"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"},
    ".mov": {"aac", "ac3", "alac", "eac3", "mp3", "pcm_s16be", "pcm_s16le", "pcm_s24be", "pcm_s24le"},
    ".webm": {"opus", "vorbis"},
}
ENCODED = {".webm": "libopus"}  # AAC elsewhere
BIT_RATE = 192_000  # bits a second, at which neither codec is heard on two channels
RATES = {"aac": (32000, 44100, 48000), "libopus": (48000,)}  # Hz, the last one for all others


@dataclass(frozen=True)
class _Track:
    source: Any
    target: Any
    is_copied: bool


class Sound:
    """The sound tracks of `film`, put into `container` in step with its pictures.

    Make it before anything is put there; then `advance`, and at last `finish`. `notes` are remarks.
    """

    def __init__(self, film: Film, container: Any, suffix: str) -> None:
        self._container, self._suffix = container, suffix
        self.notes: list[str] = []
        self._origin = Fraction(0)
        self._is_cut = False
        self._files = ExitStack()
        source = self._files.enter_context(containers.opened(film.path))
        pictures = containers.pictures_in(source, film.path.name)
        self._zero = _zero(film, pictures)
        self._tracks = {track.index: self._track(track) for track in source.streams.audio if track.codec_context}
        for stream in source.streams:
            if stream.index not in self._tracks:
                stream.discard = pyav().stream.Discard.all
        self._packets = _packets(source, [track.source for track in self._tracks.values()])
        self._next = next(self._packets, None)

    def _track(self, source: Any) -> _Track:
        name = source.codec_context.codec.canonical_name
        if self._suffix not in COPIED or name in COPIED[self._suffix]:
            with suppress(ValueError):  # the container does not take it
                return _Track(source, self._container.add_stream_from_template(source), True)
        codec = ENCODED.get(self._suffix, "aac")
        rates = RATES[codec]
        rate = source.codec_context.sample_rate
        target = self._container.add_stream(codec, rate=rate if rate in rates else rates[-1], bit_rate=BIT_RATE)
        target.codec_context.layout = "mono" if source.codec_context.layout.nb_channels == 1 else "stereo"
        self.notes.append(f"its sound, {name}, is encoded anew as {target.codec_context.codec.canonical_name}")
        return _Track(source, target, False)

    def begin(self, origin: Fraction) -> None:
        """Begin at `origin`, in seconds of the film; what is heard before is left out, unless that is 0."""
        self._origin, self._is_cut = origin, origin > 0

    def advance(self, until: Fraction | None) -> None:
        """Put in the sound up to `until`, in seconds after `origin`; None is its end."""
        while self._next is not None:
            time = self._time(self._next)
            if until is not None and time >= until:
                return
            length = Fraction((self._next.duration or 0) * self._next.time_base)
            if not self._is_cut or time + length > 0:
                self._put(self._next, self._tracks[self._next.stream_index])
            self._next = next(self._packets, None)

    def finish(self, until: Fraction | None) -> None:
        """The sound up to `until`, and no more."""
        self.advance(until)
        for track in self._tracks.values():
            if not track.is_copied:
                self._container.mux(track.target.encode(None))
        self.close()

    def close(self) -> None:
        """Close the film that the sound is from."""
        self._files.close()

    def _time(self, packet: Any) -> Fraction:
        return Fraction(packet.pts * packet.time_base) - self._zero - self._origin

    def _put(self, packet: Any, track: _Track) -> None:
        if not track.is_copied:
            self._encode(packet, track)
            return
        shift = round((self._zero + self._origin) / packet.time_base)
        packet.pts -= shift
        packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        packet.stream = track.target
        self._container.mux(packet)

    def _encode(self, packet: Any, track: _Track) -> None:
        with suppress(pyav().FFmpegError):  # a damaged packet is silence
            for frame in packet.decode():
                time = self._time(frame)
                frame.time_base = Fraction(1, frame.sample_rate)
                frame.pts = round(time * frame.sample_rate)
                self._container.mux(track.target.encode(frame))


def _zero(film: Film, pictures: Any) -> Fraction:
    """When the film's first frame is shown, in seconds by its container's clock."""
    if film.timetable is not None:
        return film.timetable.start * film.timetable.base
    return Fraction((pictures.start_time or 0) * pictures.time_base)


def _packets(source: Any, tracks: list[Any]) -> Iterator[Any]:
    """The packets of the tracks, up to the end or to where the file breaks off."""
    with suppress(pyav().FFmpegError):
        for packet in source.demux(tracks):
            if packet.pts is not None and packet.size:
                yield packet
