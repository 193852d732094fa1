"""What is no film: every bad file is one clear line, and what is left of a broken one is used."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

import films
from bad_pictures import noise
from films import number_in, numbered
from gramarye import images
from gramarye.errors import ImageError
from gramarye.video.frames import film, frames

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


@pytest.mark.parametrize("name", BAD)
def test_a_bad_film_is_one_clear_line(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if name == "no permission" and os.geteuid() == 0:
        pytest.skip("root may read everything")
    make, message = BAD[name]
    path = make(tmp_path)
    capfd.readouterr()
    with pytest.raises(ImageError, match=f"(?i){message}") as caught:
        film(path)
    error = caught.value
    assert "\n" not in str(error)
    assert len(str(error)) < 500
    assert error.rule
    assert error.received
    assert error.remedy
    assert capfd.readouterr() == ("", "")


def test_a_film_that_is_gone_meanwhile_is_told_of(tmp_path: Path) -> None:
    it = film(films.video(tmp_path / "gone.mp4", 3))
    it.path.unlink()
    with pytest.raises(ImageError, match="no such file"):
        next(frames(it))


def test_a_picture_of_another_size_is_told_of(tmp_path: Path) -> None:
    it = film(films.folder(tmp_path / "shot", ["1.png", "2.png"]))
    Image.fromarray(numbered(3, 50, 64)).save(tmp_path / "shot" / "2.png")
    with pytest.raises(ImageError, match="of one size"):
        list(frames(it))


@pytest.mark.parametrize("rate", [0, -1, 2000, float("nan")])
def test_a_rate_that_none_has(rate: float, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="rate must be"):
        film(films.folder(tmp_path / "shot", ["1.png"]), rate=rate)


def test_a_rate_is_for_folders(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="only a folder"):
        film(films.video(tmp_path / "in.mp4", 1), rate=Fraction(25))


def test_the_limit_of_pictures_is_that_of_films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = films.video(tmp_path / "in.mp4", 2)
    monkeypatch.setattr(images, "DEFAULT_MAX_MEGAPIXELS", 0.003)
    with pytest.raises(ImageError, match=r"at most 0\.003 megapixels"):
        film(path)


# ---- what is left of a broken film -----------------------------------------------------------------------

STREAMS = {
    "mp4": {"container_options": {"movflags": "+faststart"}},
    "mkv": {},
    "webm": {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "ts": {"format": "mpegts"},
    "avi": {"codec": "mjpeg", "pixels": "yuvj420p"},
}


def _grainy(index: int, height: int, width: int) -> np.ndarray:
    grain = np.random.default_rng(index).integers(-30, 30, (height, width, 3))
    return (numbered(index, height, width) + grain).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("suffix", STREAMS)
@pytest.mark.parametrize("share", [0.4, 0.7, 0.95])
def test_a_film_that_is_cut_off_is_used_up_to_the_break(suffix: str, share: float, tmp_path: Path) -> None:
    path = films.video(tmp_path / f"cut.{suffix}", 96, draw=_grainy, **STREAMS[suffix])
    whole = [each.pixels for each in frames(film(path))]
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    it = film(path)
    assert it.frames is not None
    assert 0 < it.frames < 96
    left = list(frames(it))
    assert [each.index for each in left] == list(range(it.frames))
    numbers = [number_in(each.pixels) for each in left]
    assert numbers == sorted(numbers)
    assert all(torch.equal(each.pixels, whole[number]) for each, number in zip(left[:-3], numbers[:-3], strict=True))
    if suffix in {"mp4", "avi"} or (suffix in {"mkv", "webm"} and share < 0.5):
        assert any("cut off" in note for note in it.notes)
    middle = it.frames // 2
    assert torch.equal(next(frames(it, middle)).pixels, left[middle].pixels)


def test_a_gif_that_is_cut_off_is_used_up_to_the_break(tmp_path: Path) -> None:
    path = films.animation(tmp_path / "cut.gif", 8, draw=lambda index: noise(seed=index))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 5 // 8])
    it = film(path)
    assert it.frames == 4
    assert it.notes == ("the file is cut off after 4 frames: what is there is used",)
    assert len(list(frames(it))) == 4


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "gif", "webp"])
def test_flipped_bytes_are_read_or_refused(
    suffix: str, seed: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"flipped.{suffix}"
    if suffix in STREAMS:
        films.video(path, 8, **STREAMS[suffix])
    else:
        films.animation(path, 4)
    generator = np.random.default_rng(seed)
    data = bytearray(path.read_bytes())
    reach = 800 if seed % 2 else len(data)  # every other time among the headers
    for position in generator.integers(0, reach, 3):
        data[position] = generator.integers(0, 256)
    path.write_bytes(bytes(data))
    capfd.readouterr()
    with suppress(ImageError):
        it = film(path)
        count = sum(bool(((each.pixels >= 0) & (each.pixels <= 1)).all()) for each in frames(it, 0, 20))
        assert count == min(it.frames or count, 21)
    assert capfd.readouterr() == ("", "")
