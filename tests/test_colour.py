"""Orientation, profiles, CMYK, palettes, alpha and 16 bits on the way in."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from bad_pictures import file, float_tiff, noise, png, png_chunk
from gramarye import images
from gramarye.colour import srgb_profile
from gramarye.images import load
from pictures import as_uint8, saved, smooth


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(orientation: int, suffix: str, tmp_path: Path) -> None:
    upright = Image.fromarray(smooth())
    turns = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE"}
    turns |= {6: "ROTATE_90", 7: "TRANSVERSE", 8: "ROTATE_270"}  # how a camera would have stored it
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose[turns[orientation]])
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == ".webp" else {"quality": 100} if suffix == ".jpg" else {}
    path = saved(stored, tmp_path / f"turned{suffix}", exif=exif, **options)
    picture = load(path)
    assert picture.pixels.shape == (1, 3, 48, 64)
    difference = np.abs(as_uint8(picture).astype(int) - np.asarray(upright)).mean()
    assert difference < (3 if suffix == ".jpg" else 0.01)
    assert any("EXIF" in note for note in picture.notes) == (orientation != 1)


def test_a_senseless_orientation_is_ignored(tmp_path: Path) -> None:
    for value in (0, 9, 1000):
        exif = Image.Exif()
        exif[0x0112] = value
        path = saved(Image.fromarray(noise()), tmp_path / "odd.png", exif=exif)
        assert load(path).pixels.shape == (1, 3, 48, 64)


def swapped_profile() -> bytes:
    """sRGB with the red and green primaries exchanged: converting exchanges the channels."""
    data = srgb_profile()
    return data.replace(b"rXYZ", b"____").replace(b"gXYZ", b"rXYZ").replace(b"____", b"gXYZ")


def icc(space: bytes, device: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A small ICC version 2 profile (ICC.1:2001-04, 6)."""
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)
    text = b"made for a test\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    tags = {b"desc": description, b"wtpt": white, b"cprt": b"text\0\0\0\0" + text} | tags
    offset, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    header = struct.pack(">I4sI4s4s4s", offset + len(body), b"test", 0x02400000, device, space, pcs)
    header += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += struct.pack(">iii", 63190, 65536, 54061)
    return header + bytes(128 - len(header)) + table + body


def grey_profile() -> bytes:
    """A grey profile whose light is the value to the power 1.8 (461 / 256)."""
    return icc(b"GRAY", b"mntr", b"XYZ ", {b"kTRC": b"curv\0\0\0\0" + struct.pack(">IH", 1, 461)})


def only_black_profile() -> bytes:
    """A CMYK profile in which the lightness is 100 (1 − K), whatever the other inks do."""
    ramp = bytes(range(256))
    corners = b"".join(bytes([0 if corner & 1 else 255, 128, 128]) for corner in range(16))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1\0\0\0\0\x04\x03\x02\0" + matrix + ramp * 4 + corners + ramp * 3
    return icc(b"CMYK", b"prtr", b"Lab ", {b"A2B0": table, b"A2B1": table})


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
def test_a_colour_profile_is_converted(suffix: str, tmp_path: Path) -> None:
    array = smooth()
    options = {"lossless": True} if suffix == ".webp" else {"quality": 100} if suffix == ".jpg" else {}
    path = tmp_path / f"swapped{suffix}"
    saved(Image.fromarray(array), path, icc_profile=swapped_profile(), **options)
    picture = load(path)
    difference = np.abs(as_uint8(picture).astype(int) - array[..., [1, 0, 2]])
    assert difference.mean() < 2
    assert any("profile" in note for note in picture.notes)


def test_a_grey_profile_is_converted(tmp_path: Path) -> None:
    grey = Image.linear_gradient("L")
    path = saved(grey, tmp_path / "grey.png", icc_profile=grey_profile())
    linear = (np.asarray(grey) / 255.0) ** (461 / 256)
    encoded_ = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(as_uint8(load(path))[..., 0] - 255 * encoded_).max() < 2.5


def test_srgb_by_any_name_changes_no_value(tmp_path: Path) -> None:
    built = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (built, srgb_profile(), built.replace(b"s\0R\0G\0B", b"x\0y\0z\0q")):
        for array in (noise(), noise()[..., 0]):
            path = saved(Image.fromarray(array), tmp_path / "srgb.png", icc_profile=profile)
            picture = load(path)
            assert np.array_equal(as_uint8(picture).reshape(48, 64, 3)[..., 0], array.reshape(48, 64, -1)[..., 0])
            assert picture.notes == ()


@pytest.mark.parametrize("profile", [b"nonsense", bytes(200), grey_profile(), srgb_profile()[:300]])
def test_a_useless_profile_is_ignored_and_said(profile: bytes, tmp_path: Path) -> None:
    array = noise()
    path = saved(Image.fromarray(array), tmp_path / "odd.png", icc_profile=profile)
    picture = load(path)
    assert np.array_equal(as_uint8(picture), array)
    assert any("ignored" in note for note in picture.notes)


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_without_a_profile(suffix: str, tmp_path: Path) -> None:
    cmyk = Image.fromarray(smooth()).convert("CMYK")
    options = {"quality": 100, "subsampling": 0} if suffix == ".jpg" else {}  # Adobe's way: inverted
    picture = load(saved(cmyk, tmp_path / f"inks{suffix}", **options))
    assert np.abs(as_uint8(picture).astype(int) - smooth()).mean() < 2
    assert picture.notes == ("converted from CMYK",)


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_with_a_profile(suffix: str, tmp_path: Path) -> None:
    inks = np.zeros((40, 60, 4), np.uint8)
    inks[..., 0], inks[..., 1] = 200, 90
    inks[:, 20:40, 3], inks[:, 40:, 3] = 128, 255
    cmyk = Image.merge("CMYK", [Image.fromarray(np.ascontiguousarray(inks[..., i])) for i in range(4)])
    options = {"quality": 100, "subsampling": 0} if suffix == ".jpg" else {}
    picture = load(saved(cmyk, tmp_path / f"inks{suffix}", icc_profile=only_black_profile(), **options))
    levels = as_uint8(picture)[20, [8, 30, 52]].astype(int)
    assert np.abs(levels - [[255] * 3, [118] * 3, [0] * 3]).max() <= 4
    assert "converted from CMYK" in picture.notes


def test_lab_and_ycbcr_tiff(tmp_path: Path) -> None:
    ycbcr = Image.fromarray(smooth()).convert("YCbCr")
    assert np.abs(as_uint8(load(saved(ycbcr, tmp_path / "y.tif"))).astype(int) - smooth()).mean() < 2
    transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(Image.fromarray(smooth()), transform)
    assert np.abs(as_uint8(load(saved(lab, tmp_path / "lab.tif"))).astype(int) - smooth()).mean() < 3


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "PA", "RGBA"])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".gif", ".webp", ".bmp"])
def test_other_modes_are_read_as_pillow_converts_them(mode: str, suffix: str, tmp_path: Path) -> None:
    image = Image.fromarray(np.dstack([smooth(), 255 - smooth()[..., 0]]))
    image = image.convert("RGB").convert("P").convert("PA") if mode == "PA" else image.convert(mode)
    path = tmp_path / f"mode{suffix}"
    try:
        image.save(path, **({"lossless": True, "exact": True} if suffix == ".webp" else {}))
    except (OSError, ValueError):
        pytest.skip(f"Pillow does not write {mode} as {suffix}")
    with Image.open(path) as reread:
        expected = np.asarray(reread.convert("RGBA"))
        has_alpha = reread.has_transparency_data
    picture = load(path)
    assert np.array_equal(as_uint8(picture), expected[..., :3])
    assert (picture.alpha is not None) == has_alpha
    if picture.alpha is not None:
        assert np.array_equal(images.to_uint8(picture.alpha)[..., 0], expected[..., 3])


def test_transparency_by_colour_and_by_palette(tmp_path: Path) -> None:
    array = np.full((40, 40, 3), 90, np.uint8)
    array[:20] = (10, 20, 30)
    picture = load(saved(Image.fromarray(array), tmp_path / "key.png", transparency=(10, 20, 30)))
    assert picture.alpha is not None
    assert picture.alpha[0, 0, :20].max() == 0
    assert picture.alpha[0, 0, 20:].min() == 1
    palette = Image.fromarray(array).quantize(4)
    picture = load(saved(palette, tmp_path / "palette.png", transparency=bytes([0, 128, 255, 255])))
    assert picture.alpha is not None
    assert set((picture.alpha * 255).round().unique().tolist()) <= {0, 128, 255}


def png16(samples: np.ndarray, *extra: bytes) -> bytes:
    height, width, channels = samples.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    return png(width, height, zlib.compress(rows), *extra, bits=16, colour=colour)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bit_png_is_read_exactly(channels: int, tmp_path: Path) -> None:
    samples = np.random.default_rng(1).integers(0, 65536, (40, 50, channels)).astype(np.uint16)
    picture = load(file("deep.png", png16(samples))(tmp_path))
    colour = samples[..., : 3 if channels > 2 else 1]
    read = (picture.pixels[0].permute(1, 2, 0).double() * 65535).round().numpy()
    assert np.array_equal(read, np.broadcast_to(colour, (40, 50, 3)))
    assert (picture.alpha is not None) == (channels in (2, 4))
    if picture.alpha is not None:
        assert np.array_equal((picture.alpha[0, 0].double() * 65535).round().numpy(), samples[..., -1])
    assert picture.notes == ("16 bit",)


def test_sixteen_bit_png_with_a_transparent_colour_and_a_profile(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).integers(0, 65536, (40, 50, 3)).astype(np.uint16)
    key = png_chunk(b"tRNS", samples[3, 4].astype(">u2").tobytes())
    picture = load(file("key.png", png16(samples, key))(tmp_path))
    assert picture.alpha is not None
    assert (picture.alpha == 0).nonzero().tolist() == [[0, 0, 3, 4]]
    profile = png_chunk(b"iCCP", b"x\0\0" + zlib.compress(swapped_profile()))
    picture = load(file("profile.png", png16(samples, profile))(tmp_path))
    assert np.abs(as_uint8(picture).astype(int) - (samples / 257)[..., [1, 0, 2]]).mean() < 4
    assert any("profile" in note for note in picture.notes)


def tiff16(samples: np.ndarray, order: str, deflate: bool) -> bytes:
    """An RGB TIFF of 16 bits in one strip."""
    height, width, _ = samples.shape
    strip = samples.astype(order + "u2").tobytes()
    strip = zlib.compress(strip) if deflate else strip
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, 134), (259, 3, 1, 8 if deflate else 1)]
    entries += [
        (262, 3, 1, 2),
        (273, 4, 1, 140),
        (277, 3, 1, 3),
        (278, 4, 1, height),
        (279, 4, 1, len(strip)),
    ]
    entries += [(284, 3, 1, 1)]
    data = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    for tag, kind, count, value in entries:
        short = kind == 3 and count == 1
        data += struct.pack(order + ("HHIHH" if short else "HHII"), tag, kind, count, value, *([0] if short else []))
    data += bytes(4)
    assert len(data) == 134
    return data + struct.pack(order + "3H", 16, 16, 16) + strip


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("deflate", [False, True])
def test_sixteen_bit_tiff_is_read_exactly(order: str, deflate: bool, tmp_path: Path) -> None:
    samples = np.random.default_rng(1).integers(0, 65536, (40, 50, 3)).astype(np.uint16)
    picture = load(file("deep.tif", tiff16(samples, order, deflate))(tmp_path))
    assert picture.notes == ("16 bit",)
    assert np.array_equal((picture.pixels[0].permute(1, 2, 0).double() * 65535).round().numpy(), samples)


def test_grey_of_sixteen_bits_and_of_floats(tmp_path: Path) -> None:
    samples = np.arange(1600, dtype=np.uint16).reshape(40, 40) * 40
    for suffix in (".png", ".tif"):
        picture = load(saved(Image.fromarray(samples), tmp_path / f"deep{suffix}"))
        assert np.array_equal((picture.pixels[0, 1].double() * 65535).round().numpy(), samples)
    values = np.random.default_rng(0).random((40, 40), dtype=np.float32)
    picture = load(file("float.tif", float_tiff(values))(tmp_path))
    assert np.array_equal(picture.pixels[0, 2].numpy(), values)
    assert picture.notes == ("32 bit float",)
