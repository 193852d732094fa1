"""Videos as PyAV opens them: what is in a file, and whether it is a film.

Only files are opened, only in formats of films, and never what a file may refer to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

from gramarye import images
from gramarye.errors import ImageError
from gramarye.files import open_regular
from gramarye.video import colours, hdr, timetables
from gramarye.video.film import Film, Timetable, pyav

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,av1,obu,ivf,flv,asf,mxf,ogg,nut,"
    "yuv4mpegpipe,dv"
)
KNOWN = "MP4, MOV, MKV, WebM, AVI, MPEG, FLV, WMV, Ogg, GIF, WebP, or a folder of pictures"
TRIED = 300  # packets, in which a first frame must be found
_KINDS = {  # offset and bytes by which a film that FFmpeg does not open is named
    "an MP4 or MOV without its index, as of a broken download": (4, (b"ftyp", b"moov", b"mdat", b"wide", b"free")),
    "an MKV or WebM that breaks off in its header": (0, (b"\x1aE\xdf\xa3",)),
    "an AVI that breaks off in its header": (8, (b"AVI ",)),
}
_CONVERT = "convert it to MP4 with H.264"
_RESAVE = f"fetch it again, or {_CONVERT}"
_WHOLE = "a film must be whole and undamaged"


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The container in a file; raises ImageError."""
    av = pyav()
    limits = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
    try:
        container = av.open(f"file:{path}", container_options=limits, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        raise _not_opened(path) from error
    with container:
        yield container


def _not_opened(path: Path) -> ImageError:
    with open_regular(path, "film") as file:
        start = file.read(16)
    if not start:
        return ImageError("a film must have something in it", f"{path.name}: an empty file", _RESAVE)
    kind = next((kind for kind, (at, magic) in _KINDS.items() if start[at:].startswith(magic)), None)
    if kind is not None:
        return ImageError(_WHOLE, f"{path.name}: {kind}", _RESAVE)
    return ImageError(f"a film must be {KNOWN}", f"{path.name}: a file that begins {start!r}", _CONVERT)


def pictures_in(container: Any, name: str) -> Any:
    """The stream of moving pictures; raises ImageError when there is none, or none that can be decoded."""
    cover = pyav().stream.Disposition.attached_pic
    streams = [stream for stream in container.streams.video if not stream.disposition & cover]
    if not streams:
        received = f"{name}: sound alone" if container.streams.audio else f"{name}: none"
        raise ImageError("a film must have moving pictures", received, "name a film that has some")
    stream = next((each for each in streams if each.codec_context is not None), None)
    if stream is None:
        raise ImageError("a film must be in a codec that can be decoded", f"{name}: another", _CONVERT)
    return stream


def packets(container: Any, stream: Any) -> Iterator[Any]:
    """The packets of the pictures up to the end, or to where the file breaks off."""
    with suppress(pyav().FFmpegError):
        for packet in container.demux(stream):
            if not packet.is_corrupt:
                yield packet


def decoded(packets: Iterable[Any], stream: Any) -> Iterator[Any]:
    """The frames in some packets, without those that are damaged; at last what the decoder still holds."""
    for packet in packets:
        with suppress(pyav().FFmpegError):  # the next may be whole
            yield from packet.decode()
    with suppress(pyav().FFmpegError):  # it is empty already
        yield from stream.decode(None)


def film(path: Path) -> Film:
    """The film in a file that is no animation; raises ImageError, in one line, for whatever cannot be used."""
    with opened(path) as container:
        stream = pictures_in(container, path.name)
        size = stream.codec_context.height, stream.codec_context.width
        if min(size) > 0:
            images.check_size(size, path.name, images.DEFAULT_MAX_MEGAPIXELS)
        rates = [rate for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate) if rate]
        sound = any(track.codec_context is not None for track in container.streams.audio)
        first = _first(container, stream, path.name)
        aspect = stream.sample_aspect_ratio
    turn = colours.turn_of(first)
    shown = colours.shown_size(first, turn, aspect)
    images.check_size(shown, path.name, images.DEFAULT_MAX_MEGAPIXELS)
    with opened(path) as container:
        found = timetables.read_through(container, pictures_in(container, path.name))
    table = timetables.beginning_at(first.pts, found.table())
    rate, constant = timetables.rate_of(table, rates)
    seconds = float(table.seconds() if table else found.seconds)
    notes = _notes(first, table, is_cut_off=found.is_cut_off, constant=constant)
    count = len(table.stamps) if table else None
    return Film(path, shown, rate, count, seconds, sound, turn.degrees, "video", constant, notes, table)


def _first(container: Any, stream: Any, name: str) -> Any:
    """The first frame that can be decoded."""
    tried = list(islice(packets(container, stream), TRIED))
    if any(packet.has_sidedata("encryption_info") for packet in tried):  # of which decoders may make noise
        raise ImageError("a film must not be encrypted", name, "name a film without copy protection")
    frame = next(decoded(tried, stream), None)
    if frame is None:
        received = f"{name}: no frame of it can be decoded (as {stream.codec_context.name})"
        raise ImageError(_WHOLE, received, _RESAVE)
    return frame


def _notes(first: Any, table: Timetable | None, *, is_cut_off: bool, constant: bool) -> tuple[str, ...]:
    count = f" after {len(table.stamps)} frames" if table else ""
    transfer = hdr.NAMES.get(first.color_trc)
    remarks = {
        f"the file is cut off{count}: what is there is used": is_cut_off,
        "its frame rate varies: every frame keeps its time": not constant,
        "it does not tell when its frames are shown: they are counted, at a constant rate": table is None,
        "it is interlaced, and left so": first.interlaced_frame,
        "transparent parts are laid over white": colours.is_translucent(first),
        f"its colours are HDR ({transfer}), and mapped to sRGB": transfer is not None,
    }
    return tuple(remark for remark, holds in remarks.items() if holds)
