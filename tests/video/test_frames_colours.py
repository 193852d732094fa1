"""Colours of films: known values through every matrix and range, read, and written again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import films
from gramarye.video import hdr
from gramarye.video.frames import Frame, Writer, film, frames

BT709, BT601, BT2020 = (0.2126, 0.0722), (0.299, 0.114), (0.2627, 0.0593)  # Kr, Kb (ITU-T H.273, table 4)
MATRICES = {1: BT709, 5: BT601, 6: BT601, 9: BT2020}
COLOURS = [(120, 90, 160), (60, 140, 120), (200, 128, 128), (235, 128, 128), (16, 128, 128), (180, 100, 150)]


def expected(matrix: tuple[float, float], is_full: bool, values: tuple[int, ...], bits: int) -> np.ndarray:
    """R, G and B in [0, 1] (ITU-T H.273, equations 8-3 to 8-35, the other way round)."""
    red, blue = matrix
    luma, cb, cr = (value / 2 ** (bits - 8) for value in values)
    top = (2**bits - 1) / 2 ** (bits - 8)
    y, u, v = (
        (luma / top, (cb - 128) / top, (cr - 128) / top)
        if is_full
        else ((luma - 16) / 219, (cb - 128) / 224, (cr - 128) / 224)
    )
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    return np.clip([r, (y - red * r - blue * b) / (1 - red - blue), b], 0, 1)


def first(path: Path) -> np.ndarray:
    return next(frames(film(path))).pixels[0, :, 20, 30].numpy()


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize(("pixels", "bits"), [("yuv420p", 8), ("yuv420p10le", 10)])
def test_known_colours(matrix: int, is_full: bool, pixels: str, bits: int, tmp_path: Path) -> None:
    tags = {"colorspace": matrix, "color_range": 2 if is_full else 1}
    for number, colour in enumerate(COLOURS):
        values = tuple(value << (bits - 8) for value in colour)
        path = films.coloured(tmp_path / f"{number}.mkv", values, pixels, tags, "ffv1", level="3")
        assert first(path) == pytest.approx(expected(MATRICES[matrix], is_full, values, bits), abs=1.2 / 255)


@pytest.mark.parametrize(("size", "matrix"), [((480, 640), BT601), ((720, 1280), BT709)])
def test_what_tells_no_matrix_has_that_of_its_size(
    size: tuple[int, int], matrix: tuple[float, float], tmp_path: Path
) -> None:
    path = films.coloured(tmp_path / "plain.mkv", COLOURS[0], "yuv420p", {}, "ffv1", size=size, level="3")
    assert first(path) == pytest.approx(expected(matrix, False, COLOURS[0], 8), abs=1.2 / 255)


@pytest.mark.parametrize("is_full", [False, True])
def test_h264_tells_its_colours(is_full: bool, tmp_path: Path) -> None:
    tags = {"colorspace": 1, "color_range": 2 if is_full else 1, "color_primaries": 1, "color_trc": 1}
    path = films.coloured(tmp_path / "tagged.mp4", COLOURS[0], "yuv420p", tags, "libx264", crf="5")
    assert first(path) == pytest.approx(expected(BT709, is_full, COLOURS[0], 8), abs=2 / 255)


def test_ten_bits_are_more_than_eight(tmp_path: Path) -> None:
    values = [first(films.coloured(tmp_path / f"{luma}.mkv", (luma, 512, 512), "yuv420p10le", {}, "ffv1", level="3"))[1]
              for luma in (500, 501, 502, 503)]  # fmt: skip
    assert np.diff(values) == pytest.approx([1 / 876] * 3, abs=2e-4)


def test_sixteen_bits_of_rgb(tmp_path: Path) -> None:
    picture = np.full((48, 64, 3), (0x1234, 0x8001, 0xFEDC), np.uint16)
    with av.open(str(tmp_path / "deep.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=24, options={"level": "3"})
        stream.height, stream.width = 48, 64
        stream.codec_context.pix_fmt = "gbrp16le"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gbrp16le")))
        container.mux(stream.encode(None))
    assert first(tmp_path / "deep.mkv") == pytest.approx(picture[0, 0] / 65535, abs=2e-5)


HDR = {16: (0.5807, 0.7518), 18: (0.75, 1.0)}  # transfer: the signal of 203 and of 1000 cd/m² (ITU-R BT.2408, table 1)


@pytest.mark.parametrize("transfer", HDR)
def test_high_dynamic_range_is_mapped(transfer: int, tmp_path: Path) -> None:
    tags = {"colorspace": 9, "color_range": 1, "color_primaries": 9, "color_trc": transfer}
    seen = []
    for number, signal in enumerate((0, *HDR[transfer])):
        values = 64 + round(signal * 876), 512, 512
        path = films.coloured(tmp_path / f"{number}.mkv", values, "yuv420p10le", tags, "ffv1", level="3")
        assert any("HDR" in note for note in film(path).notes)
        grey = first(path)
        assert grey.max() - grey.min() < 0.01
        seen.append(grey.mean())
    light = (1 + (hdr.WHITE / hdr.PEAK) ** 2) / 2  # what reference white becomes
    assert seen == pytest.approx([0, 1.055 * light ** (1 / 2.4) - 0.055, 1], abs=0.012)


@given(st.sampled_from([16, 18]), st.floats(0, 1), st.floats(0, 1))
def test_more_light_is_lighter(transfer: int, low: float, high: float) -> None:
    low, high = sorted((low, high))
    dark, light = (hdr.to_srgb(torch.full((1, 3, 1, 1), value), transfer) for value in (low, high))
    assert bool((dark <= light + 1e-5).all())
    assert bool(((dark >= 0) & (light <= 1)).all())


def test_primaries_are_those_of_srgb() -> None:
    """White stays white, and a red that sRGB has is found again (BT.2087, of BT.709's primaries within BT.2020)."""
    matrix = torch.tensor(hdr._TO_BT709)
    assert torch.allclose(matrix.sum(1), torch.ones(3), atol=3e-4)
    red = torch.tensor([0.6274, 0.0691, 0.0164])
    assert torch.allclose(matrix @ red, torch.tensor([1.0, 0, 0]), atol=3e-3)


def test_transparent_films_are_laid_over_white(tmp_path: Path) -> None:
    picture = np.zeros((48, 64, 4), np.uint8)
    picture[24:] = (200, 30, 30, 255)
    with av.open(str(tmp_path / "clear.mov"), "w") as container:
        stream = container.add_stream("png", rate=24)
        stream.height, stream.width = 48, 64
        stream.codec_context.pix_fmt = "rgba"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgba")))
        container.mux(stream.encode(None))
    it = film(tmp_path / "clear.mov")
    assert it.notes == ("transparent parts are laid over white",)
    (one,) = frames(it)
    assert float(one.pixels[:, :, :24].min()) == 1
    assert one.pixels[0, :, 30, 30].numpy() * 255 == pytest.approx([200, 30, 30], abs=0.01)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".gif", ".webp"])
@pytest.mark.parametrize(
    "colour", [(230, 40, 50), (30, 200, 60), (40, 60, 220), (128, 128, 128), (255, 255, 255), (0, 0, 0)]
)
def test_colours_that_are_written_are_read_again(suffix: str, colour: tuple[int, int, int], tmp_path: Path) -> None:
    picture = films.tensor(np.full((48, 64, 3), colour, np.uint8))
    with Writer(tmp_path / f"out{suffix}", films.plan(count=3)) as writer:
        for index in range(3):
            writer.write(Frame(index, Fraction(index, 24), picture))
    allowed = {".gif": 1, ".webp": 6}.get(suffix, 3)
    assert first(tmp_path / f"out{suffix}") * 255 == pytest.approx(colour, abs=allowed)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_films_are_written_tagged(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    with Writer(path, films.plan(count=2)) as writer:
        for index in range(2):
            writer.write(films.frame(index))
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        told = context.color_range, context.colorspace, context.color_primaries, context.color_trc
        assert told == (1, 1, 1, 1)
        assert context.pix_fmt == "yuv420p"


def test_what_is_written_looks_as_it_was(tmp_path: Path) -> None:
    rows, columns = torch.meshgrid(torch.linspace(0, 1, 96), torch.linspace(0, 1, 128), indexing="ij")
    picture = torch.stack([rows, columns, (rows + columns) / 2])[None]
    with Writer(tmp_path / "out.mp4", films.plan(count=1, size=(96, 128))) as writer:
        writer.write(Frame(0, Fraction(0), picture))
    (one,) = frames(film(tmp_path / "out.mp4"))
    assert float((one.pixels - picture).abs().mean()) < 0.006
