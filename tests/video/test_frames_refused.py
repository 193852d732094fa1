"""What is no film: every bad file is one clear line, and what is left of a broken one is used."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

import films
from bad_films import BAD
from bad_pictures import noise
from films import number_in, numbered
from gramarye import images
from gramarye.errors import ImageError
from gramarye.video.frames import film, frames


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


def test_a_frame_that_is_larger_than_the_header_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes may be unpacked to gigabytes: its size is looked at before its pixels are."""
    path = films.video(tmp_path / "grows.avi", 1, codec="mjpeg", pixels="yuvj420p")
    large = io.BytesIO()
    Image.new("RGB", (640, 480)).save(large, "JPEG")
    grows = tmp_path / "grows-then.avi"
    with av.open(str(path)) as source, av.open(str(grows), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        (first, *_) = source.demux(video=0)
        for index, data in enumerate((bytes(first), large.getvalue())):
            packet = av.Packet(data)
            packet.pts = packet.dts = index
            packet.stream, packet.is_keyframe = stream, True
            container.mux(packet)
    found = film(grows)
    assert [each.pixels.shape for each in frames(found)] == [(1, 3, 48, 64)] * 2, "such a film is read"
    monkeypatch.setattr(images, "DEFAULT_MAX_MEGAPIXELS", 0.1)
    with pytest.raises(ImageError, match="frame 1: 640 × 480 pixels"):
        list(frames(found))
