"""What Pillow decodes, as sRGB: modes, 16 bits, palettes, alpha, orientation, colour profiles.

Samples are numpy arrays `H W C`. Used by images.py only; together they are the users of Pillow.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile

from gramarye.errors import ImageError

Samples = NDArray[Any]  # `H W C`: uint8, uint16, or float32 in [0, 1]
_OTHER_ORDER = {"RGB;16B": "RGB;16L", "RGB;16L": "RGB;16B", "RGB;16N": "RGB;16B"}
_OTHER_ORDER |= {f"RGBA{old[3:]}": f"RGBA{new[3:]}" for old, new in _OTHER_ORDER.items()}
_OTHER_ORDER["LA;16B"] = "RGBA"  # the four bytes as they are


def decode(
    image: Image.Image, name: str, reopen: Callable[[], ImageFile.ImageFile] | None = None
) -> tuple[Samples, Samples | None, tuple[str, ...]]:
    """Colour in sRGB (1 or 3 channels), alpha or None, upright; and remarks on what had to be done.

    `reopen` opens the same picture once more, for 16 bit colour. Raises whatever Pillow's decoders
    raise, and ImageError for samples out of range.
    """
    notes = _frames(image)
    raw_mode = _raw_mode(image)
    before = _orientation(image) if image.format == "TIFF" else 1  # Pillow turns a TIFF by itself
    image.load()
    left = _orientation(image)
    deep = _single_channel(image, name)
    if deep is None and raw_mode in _OTHER_ORDER and reopen is not None:
        deep = _with_low_bytes(image, raw_mode, reopen())
    if deep is not None and deep.dtype == np.float32:
        notes.append("32 bit float")
    elif deep is not None or ";16" in raw_mode:
        notes.append("16 bit" if deep is not None else "16 bit, read as 8")
    colour, alpha = _planes(image, deep, notes)
    if max(before, left) > 1:
        notes.append("turned upright, as its EXIF orientation says")
    return _upright(colour, left), None if alpha is None else _upright(alpha, left), tuple(notes)


def _frames(image: Image.Image) -> list[str]:
    frames = getattr(image, "n_frames", 1)
    if frames == 1 or image.format == "MPO":  # MPO: a JPEG whose further pictures are previews
        return []
    what = "pages: the first" if image.format == "TIFF" else "animated: the first frame"
    return [f"{what} of {frames} is used"]


def _orientation(image: Image.Image) -> int:
    """EXIF's tag 0x0112, 1 when absent; call it on a loaded picture, as a PNG is decoded to find it."""
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:  # damaged EXIF says nothing about the pixels
        return 1
    return int(value) if value in range(1, 9) else 1


def _upright(samples: Samples, orientation: int) -> Samples:
    """`samples` turned as EXIF's tag 0x0112 says (EXIF 2.3, 4.6.4 A)."""
    if orientation >= 5:
        samples = samples.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    return samples


def _raw_mode(image: Image.Image) -> str:
    """How Pillow names the samples as they lie in the file, such as `RGB;16B`."""
    tiles = getattr(image, "tile", None) or [None]
    arguments = getattr(tiles[0], "args", None)
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _single_channel(image: Image.Image, name: str) -> Samples | None:
    """The samples of a 16 bit or float greyscale picture, None for any other."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return None
    values = np.asarray(image)[..., None]
    limit = 1 if image.mode == "F" else 65535
    if not (values.min() >= 0 and values.max() <= limit):  # NaN fails both
        rule = f"a picture of mode {image.mode} must hold finite values from 0 to {limit}"
        received = f"{name}: values from {values.min():g} to {values.max():g}"
        raise ImageError(rule, received, "rescale it and save it as 16 bit")
    return values.astype(np.float32 if image.mode == "F" else np.uint16)


def _with_low_bytes(image: Image.Image, raw_mode: str, again: ImageFile.ImageFile) -> Samples:
    """All 16 bits of a colour picture, of which Pillow keeps only the high bytes.

    Read once more as if in the other byte order, the bytes that Pillow keeps are the low ones.
    """
    other = _OTHER_ORDER[raw_mode]
    again.tile = [
        tile._replace(args=(other, *tile.args[1:]) if isinstance(tile.args, tuple) else other) for tile in again.tile
    ]
    again.load()
    high, low = np.asarray(image).astype(np.uint16), np.asarray(again)
    if raw_mode != "LA;16B":
        return np.asarray(high << 8 | low)
    grey_alpha = low[..., 0::2].astype(np.uint16) << 8 | low[..., 1::2]
    return np.asarray(grey_alpha[..., (0, 0, 0, 1)])


def _planes(image: Image.Image, deep: Samples | None, notes: list[str]) -> tuple[Samples, Samples | None]:
    """Colour in sRGB, of one or three channels, and alpha."""
    if deep is None:
        shallow, alpha = _without_alpha(image)
    else:
        alpha = deep[..., 3:] if deep.shape[2] == 4 else None
        if alpha is None and "transparency" in image.info:
            alpha = (deep != image.info["transparency"]).any(-1, keepdims=True).astype(np.uint8) * np.uint8(255)
        deep = deep[..., :3]
        eight = np.rint(deep * (255 if deep.dtype == np.float32 else 1 / 257)).astype(np.uint8)
        shallow = Image.fromarray(eight[..., 0] if deep.shape[2] == 1 else eight)
    converted = _to_srgb(shallow, image.info.get("icc_profile"), notes)
    if deep is not None and converted is shallow:
        return deep, alpha
    samples = np.asarray(converted)
    return samples if samples.ndim == 3 else samples[..., None], alpha


def _without_alpha(image: Image.Image) -> tuple[Image.Image, Samples | None]:
    """An 8 bit picture as L, RGB, CMYK or LAB, and its alpha."""
    if image.mode == "La":
        image = image.convert("LA")
    alpha = None
    if image.has_transparency_data:
        alpha = np.asarray(image.convert("RGBA").getchannel("A"))[..., None]
    if image.mode in ("1", "L", "LA"):
        return image.convert("L"), alpha
    if image.mode in ("CMYK", "LAB"):
        return image, alpha
    if alpha is not None:
        image = image.convert("RGBA")
    return image if image.mode == "RGB" else image.convert("RGB"), alpha


def _to_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """`image` in sRGB; the very same object when it is sRGB already."""
    converted = None
    if profile and image.mode != "LAB":
        try:
            converted = _through_profile(image, profile, notes)
        except Exception:  # littlecms says little of a profile that it cannot use
            notes.append("its colour profile is damaged or of another kind, and ignored")
    if converted is None:
        converted = image if image.mode in ("L", "RGB") else image.convert("RGB")
    if image.mode not in ("L", "RGB"):
        notes.append(f"converted from {image.mode}")
    return converted


def _through_profile(image: Image.Image, profile: bytes, notes: list[str]) -> Image.Image | None:
    """`image` converted from its ICC profile, or None when the profile is as good as sRGB.

    Relative colorimetric with black point compensation.
    """
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if source.profile.xcolor_space.strip() == "RGB" and image.mode == "L":
        image = image.convert("RGB")
    transform = ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        image.mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.HIGHRESPRECALC,
    )
    if image.mode != "CMYK":
        lattice = _lattice(image.mode)
        before = np.asarray(lattice.convert("RGB"), dtype=np.int16)
        after = np.asarray(ImageCms.applyTransform(lattice, transform), dtype=np.int16)
        if np.abs(after - before).max() <= 1:  # of 255
            return None
    name = ImageCms.getProfileDescription(source).strip()
    notes.append(f"colours converted from the profile {name!r}")
    return ImageCms.applyTransform(image, transform)


def _lattice(mode: str) -> Image.Image:
    """Every grey, or 17³ colours spread evenly, as a picture."""
    if mode == "L":
        return Image.linear_gradient("L")
    levels = np.rint(np.linspace(0, 255, 17)).astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1)
    return Image.fromarray(colours.reshape(17, 289, 3))


@cache
def srgb_profile() -> bytes:
    """The ICC profile of sRGB as littlecms makes it, its date (ICC.1:2022, 7.2.8) set to a constant."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + bytes.fromhex("07d0 0001 0001 0000 0000 0000") + profile[36:]
