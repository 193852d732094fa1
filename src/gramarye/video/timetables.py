"""When the frames of a video are shown: read from its packets, without decoding any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from gramarye.video.film import Timetable, pyav

CUT_OFF = Fraction(1)  # second, by which a file may be shorter than it says
SLACK = 1.5  # units of a container's clock, by which the frames of a constant rate may be off
USUAL = Fraction(24)  # frames a second, for one frame of a film that tells no rate


@dataclass
class Packets:
    """What the packets of a film tell, one after the other.

    `seconds` is from the first packet of any kind to the end of the last; `is_cut_off` that there should be more.
    """

    stream: int
    base: Fraction
    count: int = 0  # of the pictures, whatever they are worth
    stamps: list[int | None] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    end: int = 0
    earliest: Fraction | None = None
    latest: Fraction = Fraction(0)
    is_cut_off: bool = False

    @property
    def seconds(self) -> Fraction:
        """How long the film is, as far as packets tell."""
        return self.latest - (self.earliest or 0)

    def take(self, packet: Any) -> None:
        """One packet, of any stream."""
        if packet.pts is not None and packet.time_base is not None:
            begin, length = packet.pts * packet.time_base, (packet.duration or 0) * packet.time_base
            self.earliest = begin if self.earliest is None else min(begin, self.earliest)
            self.latest = max(begin + length, self.latest)
        if packet.stream_index == self.stream and packet.size:
            self._picture(packet)

    def _picture(self, packet: Any) -> None:
        self.count += 1
        self.is_cut_off = self.is_cut_off or packet.is_corrupt
        if packet.is_discard or packet.is_corrupt:
            return
        self.stamps.append(packet.pts)
        if packet.pts is not None:
            self.keys += [packet.pts] if packet.is_keyframe else []
            self.end = max(self.end, packet.pts + (packet.duration or 0))

    def table(self) -> Timetable | None:
        """When every frame is shown; None when some packet does not tell, or two tell the same."""
        told = [stamp for stamp in self.stamps if stamp is not None]
        if not told or len(set(told)) < len(self.stamps):
            return None
        ascending, keys = (np.sort(np.array(stamps, np.int64)) for stamps in (told, self.keys))
        return Timetable(ascending, self.base, max(self.end, int(ascending[-1]) + 1), keys)


def read_through(container: Any, stream: Any) -> Packets:
    """All packets of a container; where it breaks off, those before."""
    found = Packets(stream.index, stream.time_base)
    try:
        for packet in container.demux():
            found.take(packet)
    except pyav().FFmpegError:
        found.is_cut_off = True
    told = _told(container, stream)
    if found.count < stream.frames if stream.frames else found.latest + CUT_OFF < told:
        found.is_cut_off = True
    elif stream.duration is not None:  # of the last frame too, which packets in another order may not tell
        found.end = max(found.end, round(told / found.base))
    return found


def _told(container: Any, stream: Any) -> Fraction:
    """When a film ends, in seconds, by what its header says."""
    if stream.duration is not None:
        return Fraction((stream.start_time or 0) + stream.duration) * Fraction(stream.time_base)
    if container.duration is None or container.duration < 0:
        return Fraction(0)
    return Fraction((container.start_time or 0) + container.duration, 1_000_000)


def beginning_at(stamp: int | None, table: Timetable | None) -> Timetable | None:
    """The times from the first frame on that can be decoded; None where they are not those of the frames."""
    index = None if table is None else table.index(stamp)
    if table is None or index is None:
        return None
    return Timetable(table.stamps[index:], table.base, table.end, table.keys[table.keys >= table.stamps[index]])


def rate_of(table: Timetable | None, told: Sequence[Fraction]) -> tuple[Fraction, bool]:
    """Frames a second, and whether all of them keep to it; `told` is what the container says of it."""
    if table is None or len(table.stamps) == 1:
        return (told[0] if told else USUAL), True
    count, clock = len(table.stamps), float(table.base)
    times = (table.stamps - table.start) * clock
    mean = (count - 1) / table.time(count - 1)
    for rate in _once([*told, mean.limit_denominator(1001)]):
        if np.abs(times - np.arange(count) / float(rate)).max() <= SLACK * clock:
            return rate, True
    return mean.limit_denominator(1_000_000), False


def _once(rates: Iterable[Fraction]) -> list[Fraction]:
    return list(dict.fromkeys(rates))
