"""Films that are none, or that nobody can read; each is made in a folder."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from PIL import Image

import films
from bad_pictures import noise
from films import numbered

Maker = Callable[[Path], Path]


def _file(name: str, data: bytes) -> Maker:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


def _folder(name: str, *files: tuple[str, bytes]) -> Maker:
    def make(folder: Path) -> Path:
        (folder / name).mkdir()
        for each, data in files:
            (folder / name / each).write_bytes(data)
        return folder / name

    return make


def _sound(folder: Path) -> Path:
    with av.open(str(folder / "song.m4a"), "w", format="mp4") as container:
        track = container.add_stream("aac", rate=48000)
        track.codec_context.layout = "mono"
        for piece in films.tone(0.3):
            container.mux(track.encode(piece))
        container.mux(track.encode(None))
    return folder / "song.m4a"


def _index_lost(folder: Path) -> Path:
    path = films.video(folder / "lost.mp4", 12)
    data = path.read_bytes()
    assert data.index(b"mdat") < data.index(b"moov")
    path.write_bytes(data[: data.index(b"moov") - 4])
    return path


def _pictures_lost(folder: Path) -> Path:
    path = films.video(folder / "empty.mp4", 12, container_options={"movflags": "+faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 4])
    return path


def _unknown_codec(folder: Path) -> Path:
    path = films.video(folder / "unknown.mp4", 4)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz1").replace(b"avcC", b"zzzC"))
    return path


def _noise_inside(folder: Path) -> Path:
    path = films.video(folder / "noise.mp4", 8)
    data = path.read_bytes()
    at, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    path.write_bytes(data[:at] + np.random.default_rng(0).bytes(end - at) + data[end:])
    return path


def _encrypted(folder: Path) -> Path:
    options = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "00112233445566778899aabbccddeeff",
        "encryption_kid": "ffeeddccbbaa99887766554433221100",
    }
    return films.video(folder / "protected.mp4", 4, container_options=options)


def _no_packets(folder: Path) -> Path:
    """A film that is whole, but for its pictures: their track has none."""
    path = films.video(folder / "none.mkv", 3, codec="mjpeg", pixels="yuvj420p")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(bytes.fromhex("1F43B675"))])  # Matroska's first cluster
    return path


def _huge(folder: Path) -> Path:
    path = films.video(folder / "huge.avi", 2, codec="mjpeg", pixels="yuvj420p")
    data = path.read_bytes().replace(struct.pack("<II", 64, 48), struct.pack("<II", 16000, 16000))
    path.write_bytes(data.replace(struct.pack(">HH", 48, 64), struct.pack(">HH", 16000, 16000)))
    return path


def _sized(height: int, width: int) -> Maker:
    return lambda folder: films.video(folder / "sized.mkv", 2, codec="ffv1", pixels="bgr0", size=(height, width))


def _forbidden(folder: Path) -> Path:
    path = films.video(folder / "forbidden.mp4", 2)
    path.chmod(0)
    return path


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.mp4")
    return folder / "pipe.mp4"


def _still(suffix: str) -> Maker:
    def make(folder: Path) -> Path:
        Image.fromarray(numbered(1)).save(folder / f"still{suffix}")
        return folder / f"still{suffix}"

    return make


def _cut_gif(folder: Path) -> Path:
    path = films.animation(folder / "cut.gif", draw=lambda index: noise(seed=index))
    path.write_bytes(path.read_bytes()[:600])
    return path


def _two_sizes(folder: Path) -> Path:
    path = films.folder(folder / "mixed", ["1.png", "2.png"])
    Image.fromarray(numbered(3, 50, 64)).save(path / "3.png")
    return path


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
# How each is made in a folder, and what is said of it.
BAD: dict[str, tuple[Maker, str]] = {
    "missing": (lambda folder: folder / "missing.mp4", "no such file"),
    "missing folder": (lambda folder: folder / "nowhere" / "frames", "no such file"),
    "name too long": (lambda folder: folder / ("n" * 300 + ".mp4"), "name too long"),
    "zero byte in the name": (lambda folder: folder / "a\0b.mp4", "null"),
    "empty": (_file("empty.mp4", b""), "an empty file"),
    "one byte": (_file("byte.mp4", b"\0"), "must be MP4"),
    "text": (_file("notes.mp4", b"This is not a film.\n" * 40), "must be MP4.*begins b'This is not"),
    "page": (_file("page.mp4", b"<!DOCTYPE html><html><body>404</body></html>"), "must be MP4"),
    "zeros": (_file("zeros.mp4", bytes(5000)), "must be MP4"),
    "playlist": (_file("list.mp4", PLAYLIST), "must be MP4"),
    "concatenation": (_file("list.mkv", b"ffconcat version 1.0\nfile /etc/passwd\n"), "must be MP4"),
    "archive": (_file("archive.mkv", b"PK\x03\x04" + bytes(500)), "must be MP4"),
    "sound alone": (_sound, "moving pictures.*sound alone"),
    "index lost": (_index_lost, "without its index"),
    "pictures lost": (_pictures_lost, "no frame of it can be decoded"),
    "no packets": (_no_packets, "breaks off in its header"),
    "unknown codec": (_unknown_codec, "codec that can be decoded"),
    "noise inside": (_noise_inside, "no frame of it can be decoded"),
    "encrypted": (_encrypted, "must not be encrypted"),
    "huge": (_huge, "at most 100 megapixels"),
    "too small": (_sized(20, 40), "at least 32 pixels"),
    "too long": (_sized(32, 700), "20 times"),
    "no permission": (_forbidden, "permission denied"),
    "pipe": (_pipe, "a pipe"),
    "device": (lambda folder: Path("/dev/zero"), "device"),
    "folder without pictures": (_folder("none", ("notes.txt", b"x")), "must have pictures"),
    "empty folder": (_folder("empty"), "must have pictures"),
    "folder of broken pictures": (_folder("broken", ("1.png", b"\x89PNG\r\n\x1a\n")), "PNG"),
    "folder of two sizes": (_two_sizes, "of one size.*3.png: 64 × 50"),
    "PNG": (_still(".png"), "must move.*one picture"),
    "JPEG": (_still(".jpg"), "must move.*a JPEG"),
    "TIFF": (_still(".tif"), "must move.*a TIFF"),
    "GIF cut in its first frame": (_cut_gif, "whole and undamaged"),
    "GIF of a header": (_file("head.gif", b"GIF89a"), "whole and undamaged"),
}
