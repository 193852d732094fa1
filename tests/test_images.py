"""What images.py reads, and how it resizes."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bad_pictures import ENCODINGS, encoded, file, noise
from gramarye import images
from gramarye.errors import ImageError
from gramarye.images import Picture, load
from pictures import as_uint8, painting, saved

slow_start = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

sizes = st.tuples(st.integers(32, 70), st.integers(32, 70))


def test_arrays_tensors_images_and_pictures_are_read() -> None:
    array = noise()
    expected = torch.from_numpy(array).permute(2, 0, 1)[None] / 255
    for source in (array, Image.fromarray(array), expected, expected.double()):
        picture = load(source)
        assert picture.pixels.dtype == torch.float32
        assert torch.allclose(picture.pixels, expected, atol=1e-7)
        assert (picture.alpha, picture.sha256) == (None, None)
        assert load(picture) is picture
    deep = load(array.astype(np.uint16) * 257)
    assert torch.allclose(deep.pixels, expected, atol=1e-7)
    with_alpha = load(np.dstack([array, array[..., 0]]))
    assert with_alpha.alpha is not None
    assert torch.equal(with_alpha.alpha, with_alpha.pixels[:, :1])
    assert load(array[..., 0]).pixels.shape == (1, 3, 48, 64)


def test_a_tensor_is_copied_and_its_gradient_left_behind() -> None:
    tensor = painting().requires_grad_()
    picture = load(tensor)
    with torch.no_grad():
        tensor.zero_()
    assert not picture.pixels.requires_grad
    assert picture.pixels.max() > 0


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_content_decides_not_the_suffix(encoding: str, tmp_path: Path) -> None:
    data = encoded(encoding)
    right = load(file("right" + ENCODINGS[encoding][0], data)(tmp_path))
    for name in ("wrong.png", "wrong.eps", "wrong.jpg", "none", "picture with ünïcode.txt"):
        path = file(name, data)(tmp_path)
        picture = load(str(path))
        assert torch.equal(picture.pixels, right.pixels)
        assert (picture.name, picture.sha256) == (name, images.sha256_of(path))


@pytest.mark.parametrize(
    ("suffix", "word"), [(".gif", "animated"), (".webp", "animated"), (".tif", "pages"), (".png", "animated")]
)
def test_of_several_frames_the_first_is_used_and_said(suffix: str, word: str, tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((40, 40, 3), level, np.uint8)) for level in (50, 100, 200)]
    options = {"lossless": True} if suffix == ".webp" else {}
    path = saved(frames[0], tmp_path / f"many{suffix}", save_all=True, append_images=frames[1:], **options)
    picture = load(path)
    assert np.unique(as_uint8(picture)).tolist() == [50]
    assert word in picture.notes[0]
    assert "first" in picture.notes[0]
    assert "of 3" in picture.notes[0]


def test_pictures_are_read_in_threads_without_disturbing_each_other(tmp_path: Path) -> None:
    path = file("good.jpg", encoded("jpeg", 200, 200))(tmp_path)
    results: list[Picture] = []
    threads = [threading.Thread(target=lambda: results.append(load(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert all(torch.equal(result.pixels, results[0].pixels) for result in results)


def test_sha256_of_a_file(tmp_path: Path) -> None:
    path = file("abc", b"abc")(tmp_path)
    assert images.sha256_of(path).startswith("ba7816bf8f01cfea")  # FIPS 180-2, appendix B.1
    with pytest.raises(ImageError):
        images.sha256_of(tmp_path)


@given(st.tuples(st.integers(32, 5000), st.integers(32, 5000)), st.integers(1, 4000))
def test_a_fitted_size_keeps_the_aspect_ratio(size: tuple[int, int], long_side: int) -> None:
    height, width = images.fitted_size(size, long_side)
    assert max(height, width) == long_side
    assert min(height, width) >= 1
    exact = min(size) * long_side / max(size)
    assert abs(min(height, width) - max(exact, 1)) <= 0.5


@slow_start
@given(sizes, st.tuples(st.integers(1, 90), st.integers(1, 90)))
def test_resizing_stays_within_range(size: tuple[int, int], target: tuple[int, int]) -> None:
    pixels = painting(*size).round()  # black and white overshoot most
    resized = images.resize(pixels, target)
    assert resized.shape == (1, 3, *target)
    assert float(resized.min()) >= 0
    assert float(resized.max()) <= 1
    assert images.resize(pixels, size) is pixels


def test_resizing_is_antialiased_and_keeps_a_constant() -> None:
    stripes = torch.zeros(1, 3, 64, 64)
    stripes[..., ::2] = 1
    shrunk = images.resize(stripes, (8, 8))
    assert float((shrunk - 0.5).abs().max()) < 0.1
    constant = torch.full((1, 1, 40, 50), 0.3)
    assert torch.allclose(images.resize(constant, (17, 93)), torch.full((1, 1, 17, 93), 0.3), atol=1e-6)


@pytest.mark.parametrize("call", [lambda: images.fitted_size((10, 10), 0), lambda: images.resize(painting(), (0, 5))])
def test_a_size_of_nothing_is_refused(call: object) -> None:
    with pytest.raises(ImageError, match="at least 1 pixel"):
        call()
