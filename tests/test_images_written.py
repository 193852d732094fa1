"""What images.py writes: exactly, atomically, or not at all."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from gramarye import files, images
from gramarye.colour import srgb_profile
from gramarye.errors import ImageError
from gramarye.images import load, read_recipe, save
from pictures import as_uint8, eight, painting, smooth

slow_start = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

sizes = st.tuples(st.integers(32, 70), st.integers(32, 70))


@slow_start
@given(sizes, st.integers(0, 99), st.booleans(), st.sampled_from([8, 16]))
def test_png_is_exact(
    tmp_path_factory: pytest.TempPathFactory, size: tuple[int, int], seed: int, translucent: bool, bits: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "exact.png"
    pixels, alpha = painting(*size, seed=seed), painting(*size, 1, seed) if translucent else None
    save(pixels, path, bits=bits, alpha=alpha)
    picture, top = load(path), 2**bits - 1
    assert torch.equal((picture.pixels * top).round(), (pixels * top).round())
    assert (picture.alpha is None) == (alpha is None)
    if alpha is not None and picture.alpha is not None:
        assert torch.equal((picture.alpha * top).round(), (alpha * top).round())
    with Image.open(path) as image:
        image.load()
        assert image.info["icc_profile"] == srgb_profile()


@pytest.mark.parametrize("suffix", [".webp", ".tif", ".tiff"])
@pytest.mark.parametrize("translucent", [False, True])
def test_webp_and_tiff_are_exact_at_full_quality(suffix: str, translucent: bool, tmp_path: Path) -> None:
    pixels, alpha = painting(), painting(channels=1) if translucent else None
    save(pixels, tmp_path / f"out{suffix}", alpha=alpha, quality=100)
    picture = load(tmp_path / f"out{suffix}")
    assert torch.allclose(picture.pixels, eight(pixels), atol=1e-6)
    assert (picture.alpha is None) == (alpha is None)
    if alpha is not None and picture.alpha is not None:
        assert torch.allclose(picture.alpha, eight(alpha), atol=1e-6)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".webp", ".tif"])
def test_what_is_written_is_srgb_and_the_same_every_time(suffix: str, tmp_path: Path) -> None:
    pixels = load(smooth()).pixels
    first, second = tmp_path / f"one{suffix}", tmp_path / f"two{suffix.upper()}"
    save(pixels, first, recipe={"a": 1})
    srgb_profile.cache_clear()
    save(pixels, second, recipe={"a": 1})
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as image:
        assert image.info["icc_profile"] == srgb_profile()
        assert image.format == images.WRITABLE[suffix]
    picture = load(first)
    assert picture.notes == ()
    assert float((picture.pixels - pixels).abs().mean()) < 0.02


def test_jpeg_is_444_and_its_transparent_parts_are_white(tmp_path: Path) -> None:
    red = torch.zeros(1, 3, 40, 40)
    red[:, 0] = 1
    alpha = torch.ones(1, 1, 40, 40)
    alpha[..., :16] = 0
    save(red, tmp_path / "out.jpg", alpha=alpha)
    with Image.open(tmp_path / "out.jpg") as image:
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3
    pixels = load(tmp_path / "out.jpg").pixels
    assert float(pixels[..., :14].min()) > 0.97
    assert float((pixels[..., 18:] - red[..., 18:]).abs().max()) < 0.03


def test_values_outside_the_range_are_clamped_and_nan_is_refused(tmp_path: Path) -> None:
    save(painting() * 4 - 2, tmp_path / "out.png")
    assert as_uint8(load(tmp_path / "out.png")).min() == 0
    for bad in (float("nan"), float("inf")):
        with pytest.raises(ImageError, match="finite"):
            save(torch.full((1, 3, 40, 40), bad), tmp_path / "bad.png")
    assert not (tmp_path / "bad.png").exists()


def test_to_pil_is_what_save_writes() -> None:
    pixels, alpha = painting(), painting(channels=1)
    assert images.to_pil(pixels).mode == "RGB"
    image = images.to_pil(pixels, alpha)
    assert image.mode == "RGBA"
    again = load(image)
    assert torch.allclose(again.pixels, eight(pixels))
    with pytest.raises(ImageError, match="size of the picture"):
        images._with_alpha(pixels, painting(41, 50, 1))


def test_a_picture_too_long_for_its_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="must fit its format, WEBP"):
        save(torch.zeros(1, 3, 2, 16384), tmp_path / "long.webp")
    with pytest.raises(ImageError, match="must fit its format, JPEG"):
        save(torch.zeros(1, 3, 2, 65536), tmp_path / "long.jpg")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("out", {}, "unknown suffix"),
        ("out.jgp", {}, r"Did you mean '\.jpg'"),
        ("out.gif", {}, "unknown suffix"),
        ("out.png.txt", {}, "unknown suffix"),
        ("nowhere/out.png", {}, "folder to write to must exist"),
        ("a-file/out.png", {}, "folder to write to must exist"),
        ("folder.png", {}, "a folder"),
        ("pipe.png", {}, "a pipe"),
        ("n" * 260 + ".png", {}, "name too long"),
        ("a\0b.png", {}, "null"),
        ("out.jpg", {"bits": 16}, "16 as PNG"),
        ("out.png", {"bits": 12}, "16 as PNG"),
        ("out.jpg", {"quality": 0}, "quality"),
        ("out.jpg", {"quality": 101}, "quality"),
        ("out.png", {"recipe": {"a": float("nan")}}, "JSON"),
        ("out.png", {"recipe": {"a": object()}}, "JSON"),
        ("out.jpg", {"recipe": {"a": "x" * 70_000}}, "at most 65504 bytes"),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(
    name: str, options: dict[str, object], message: str, tmp_path: Path
) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "a-file").write_text("x")
    os.mkfifo(tmp_path / "pipe.png")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ImageError, match=message) as caught:
        save(painting(), tmp_path / name, **options)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_destination_is_tried_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.png"
    assert images.check_destination(path) == path
    path.write_bytes(b"old")
    assert images.check_destination(str(path)) == path
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("out.png", b"old")]

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ImageError, match=r"permission denied.*Choose a folder in which you may write"):
        images.check_destination(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ImageError, match="may write"):
        images.check_destination(tmp_path / "out.png")


def test_a_read_only_disk_is_refused() -> None:
    with pytest.raises(ImageError, match="cannot be written"):
        images.check_destination("/proc/out.png")


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("failing", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_a_failure_while_writing_leaves_the_old_file(
    suffix: str, failing: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"out{suffix}"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(ImageError, match="cannot be written") as caught:
        save(painting(), path)
    assert os.strerror(number)[1:] in str(caught.value)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [(path.name, b"old")]


def test_an_interrupt_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(painting(), tmp_path / "out.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_disk_that_is_really_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = Path.open
    monkeypatch.setattr(Path, "open", lambda self, mode: genuine(Path("/dev/full"), mode.replace("x", "w")))
    with pytest.raises(ImageError, match=r"no space left on device.*Free some space"):
        files.write_atomically(tmp_path / "out.png", bytes(100_000))


@pytest.mark.skipif(os.name == "nt", reason="no umask")
def test_the_mode_follows_the_umask_and_an_old_file_keeps_its_own(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        save(painting(), tmp_path / "new.png")
        (tmp_path / "old.png").write_bytes(b"old")
        (tmp_path / "old.png").chmod(0o600)
        save(painting(), tmp_path / "old.png")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new.png").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "old.png").stat().st_mode) == 0o600


def test_a_link_is_followed_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    link, target = tmp_path / "link.png", tmp_path / "shelf" / "target.png"
    link.symlink_to(target)
    save(painting(), link)
    assert link.is_symlink()
    assert load(target).pixels.shape == (1, 3, 40, 50)


def test_a_name_as_long_as_can_be(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 125 + ".png")
    save(painting(), path, recipe={"a": 1})
    assert read_recipe(path) == {"a": 1}


def test_png_compresses_about_as_well_as_pillow(tmp_path: Path) -> None:
    array = np.asarray(Image.fromarray(smooth(300, 400)).rotate(17, resample=Image.Resampling.BICUBIC))
    save(load(array).pixels, tmp_path / "ours.png")
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    assert (tmp_path / "ours.png").stat().st_size < 1.2 * len(buffer.getvalue()) + 2000
