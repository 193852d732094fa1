"""What images.py refuses: every bad file, and pixels that cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bad_pictures import BAD_PICTURES, ENCODINGS, encoded, file
from gramarye.errors import ImageError
from gramarye.images import load


def test_the_table_of_bad_pictures_is_long_and_its_names_differ() -> None:
    names = [name for name, _ in BAD_PICTURES]
    assert len(names) == len(set(names)) >= 45


@pytest.mark.parametrize(("name", "make"), BAD_PICTURES, ids=[name for name, _ in BAD_PICTURES])
def test_a_bad_picture_is_one_clear_line(
    name: str, make: object, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if name == "no-permission" and os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = make(tmp_path)
    with pytest.raises(ImageError) as caught:
        load(path)
    error = caught.value
    assert "\n" not in str(error)
    assert len(str(error)) < 600
    assert error.rule
    assert error.remedy
    assert error.received
    assert capfd.readouterr() == ("", "")
    assert Image.MAX_IMAGE_PIXELS is not None


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("seed", range(12))
def test_flipped_bytes_load_or_are_refused(
    encoding: str, seed: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(seed)
    data = bytearray(encoded(encoding))
    reach = 120 if seed % 2 else len(data)  # every other time among the headers
    for position in generator.integers(0, reach, 3):
        data[position] = generator.integers(0, 256)
    path = file("flipped" + ENCODINGS[encoding][0], bytes(data))(tmp_path)
    try:
        picture = load(path)
    except ImageError:
        pass
    else:
        assert bool(((picture.pixels >= 0) & (picture.pixels <= 1)).all())
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_picture_cut_anywhere_is_whole_or_refused(encoding: str, tmp_path: Path) -> None:
    data = encoded(encoding)
    whole = load(file("whole", data)(tmp_path))
    for end in [*np.linspace(1, len(data), 40).astype(int), *range(len(data) - 12, len(data))]:
        path = file("cut", data[:end])(tmp_path)
        try:
            picture = load(path)
        except ImageError:
            continue
        assert torch.equal(picture.pixels, whole.pixels), f"{end} of {len(data)} bytes"


@pytest.mark.parametrize("encoding", ["jpeg", "jpeg-progressive", "webp", "webp-lossless", "bmp", "tiff", "tiff-lzw"])
def test_not_even_the_last_byte_may_be_missing(encoding: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        load(file("cut", encoded(encoding)[:-1])(tmp_path))


def test_postscript_never_starts_ghostscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.Popen", lambda *a, **k: pytest.fail("a process was started"))
    path = dict(BAD_PICTURES)["drawing.eps"](tmp_path)
    with pytest.raises(ImageError, match="PostScript"):
        load(path)


def test_the_limit_is_a_knob_and_pillows_own_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file("good.png", encoded("png", 100, 100))(tmp_path)
    with pytest.raises(ImageError, match=r"at most 0\.009 megapixels"):
        load(path, max_megapixels=0.009)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert load(path).pixels.shape == (1, 3, 100, 100)
    assert Image.MAX_IMAGE_PIXELS == 10


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((40, 40, 2), np.uint8), "H W 3"),
        (np.zeros((40, 40, 3)), "uint8"),
        (np.zeros(40, np.uint8), "H W 3"),
        (np.zeros((20, 40, 3), np.uint8), "at least 32"),
        (np.zeros((0, 40, 3), np.uint8), "at least 32"),
        (torch.zeros(3, 40, 40), "1 3 H W"),
        (torch.zeros(2, 3, 40, 40), "1 3 H W"),
        (torch.zeros(1, 3, 40, 40, dtype=torch.uint8), "floats"),
        (torch.full((1, 3, 40, 40), 2.0), r"\[0, 1\]"),
        (torch.full((1, 3, 40, 40), -0.1), r"\[0, 1\]"),
        (torch.full((1, 3, 40, 40), float("nan")), "nan"),
        (torch.zeros(1, 3, 31, 40), "at least 32"),
        (Image.new("RGB", (5000, 40)), "20 times"),
        (Image.new("F", (40, 40), 7), "from 0 to 1"),
        (None, "NoneType"),
        (3, "int"),
        (b"picture.png", "bytes"),
        ([], "list"),
    ],
)
def test_pixels_that_cannot_be_used_are_refused(source: object, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        load(source)
