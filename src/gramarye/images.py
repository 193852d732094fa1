"""Pictures in and out; inside, every picture is `1 3 H W`, sRGB in [0, 1].

Reading accepts JPEG, PNG, WebP, TIFF, BMP and GIF, judged by content and never by name, and decides
from the header alone whether a picture is of a usable size. Orientation, colour profile, CMYK,
palettes and 16 bits are resolved here. Writing is atomic, deterministic, tagged as sRGB, and can hold
the recipe. Whatever is wrong with a file, the answer is an ImageError of one line. Only this
module and colour.py use Pillow.
"""

from __future__ import annotations

import io
import logging
import os
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from PIL import Image, ImageFile, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin  # noqa: F401
from torch import Tensor
from torch.nn import functional

from gramarye import png
from gramarye import recipe as recipes
from gramarye.colour import Samples, decode, srgb_profile
from gramarye.errors import ImageError
from gramarye.files import digest, known_suffix, open_regular, writable, write_atomically

DEFAULT_MAX_MEGAPIXELS = 100.0
SMALLEST_SIDE = 32  # pixels; below this the deepest layers see nothing
LARGEST_ASPECT = 20.0
ROUNDING = 1e-4  # by which a tensor may leave [0, 1]
READABLE = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")  # Pillow tries nothing else
WRITABLE = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_READABLE_NAMES = "JPEG, PNG, WebP, TIFF, BMP or GIF"
_RESAVE = "open it in a viewer and save it again, or fetch it again"
_nowhere = logging.NullHandler()
_pillow = threading.Lock()  # Pillow's limit and Python's warning filters are global
_KINDS = {  # offset and bytes by which a file that Pillow does not open is named
    "JPEG": (0, b"\xff\xd8"),
    "PNG": (0, b"\x89PNG"),
    "WebP": (8, b"WEBP"),
    "TIFF": (0, b"II*\0"),
    "TIFF (big-endian)": (0, b"MM\0*"),
    "GIF": (0, b"GIF8"),
    "BMP": (0, b"BM"),
    "PDF": (0, b"%PDF"),
    "PostScript": (0, b"%!PS"),
    "HEIC": (4, b"ftyphei"),
    "HEIF": (4, b"ftypmif1"),
    "AVIF": (4, b"ftypavif"),
    "SVG": (0, b"<svg"),
    "XML or SVG": (0, b"<?xml"),
    "HTML": (0, b"<!DOCTYPE"),
    "Photoshop": (0, b"8BPS"),
    "JPEG 2000": (4, b"jP  "),
}


@dataclass(frozen=True)
class Picture:
    """A picture ready for use, and what had to be done to make it so.

    `pixels` and `alpha` are sRGB-encoded values in [0, 1]; colours are not multiplied by alpha.
    `sha256` is that of the file's bytes, None for a picture that did not come from a file.
    """

    pixels: Float32[Tensor, "1 3 h w"]
    alpha: Float32[Tensor, "1 1 h w"] | None
    name: str
    sha256: str | None
    notes: tuple[str, ...] = ()


# ---- reading -------------------------------------------------------------------------------------


def load(source: object, *, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS) -> Picture:
    """The picture in `source`: a path, a PIL image, a numpy array, a tensor, or a Picture as it is.

    Arrays are `H W`, `H W 3` or `H W 4`, uint8 or uint16; tensors are `1 3 H W` in [0, 1].
    Raises ImageError, in one line, for whatever cannot be used.
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, (str, os.PathLike)):
        return _load_file(Path(os.fsdecode(source)), max_megapixels)
    if isinstance(source, Image.Image):
        with quiet_pillow("a PIL image"):
            check_size((source.height, source.width), "a PIL image", max_megapixels)
            return _picture(source, "<PIL image>")
    if isinstance(source, np.ndarray):
        return _from_array(source, max_megapixels)
    if isinstance(source, Tensor):
        return _from_tensor(source, max_megapixels)
    remedy = "give a path, a PIL image, a numpy array or a tensor"
    raise ImageError("a picture must come from a file or from pixels", type(source).__name__, remedy)


def _load_file(path: Path, max_megapixels: float) -> Picture:
    with open_regular(path) as file, quiet_pillow(path.name):
        image = opened(file, path.name)
        check_size((image.height, image.width), path.name, max_megapixels)
        if image.format == "PNG":
            image.verify()  # every chunk's CRC, up to the end; decoding alone would not notice
            image = opened(file, path.name)
        return _picture(image, path.name, file)


@contextmanager
def quiet_pillow(name: str) -> Iterator[None]:
    """Pillow without warnings and without its own size limit; all that it may raise as ImageError.

    Decoders meet hostile bytes and raise nearly anything: OSError, SyntaxError, ValueError,
    struct.error, TypeError, KeyError, zlib.error, EOFError, MemoryError, OverflowError and others.
    """
    logging.getLogger("PIL").addHandler(_nowhere)  # else what it logs goes to standard error
    with _pillow, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        except ImageError:
            raise
        except Exception as error:
            reason = str(error) or type(error).__name__
            rule = "a picture must be whole and undamaged"
            raise ImageError(rule, f"{name}: {reason}", _RESAVE) from error
        finally:
            Image.MAX_IMAGE_PIXELS = limit


@contextmanager
def _silent_libtiff() -> Iterator[None]:
    """Standard error to nowhere: libtiff writes there, from C, about damage that it also reports."""
    try:
        kept = os.dup(2)
    except OSError:  # there is none, as under pythonw
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def opened(file: IO[bytes] | io.BytesIO, name: str) -> ImageFile.ImageFile:
    """The picture in `file` with its header read and nothing decoded."""
    try:
        file.seek(0)
        return Image.open(file, formats=READABLE)
    except UnidentifiedImageError as error:
        file.seek(0)
        raise _unidentified(file.read(16), name) from error


def _unidentified(start: bytes, name: str) -> ImageError:
    kinds = [kind for kind, (at, magic) in _KINDS.items() if start[at:].startswith(magic)]
    if kinds and kinds[0].split()[0] in _READABLE_NAMES:
        received = f"{name}: a {kinds[0]} with a damaged or unknown header"
        return ImageError("a picture must be whole and undamaged", received, _RESAVE)
    received = kinds[0] if kinds else f"a file that begins {start!r}" if start else "an empty file"
    rule, remedy = f"a picture must be {_READABLE_NAMES}", "convert it to one of these"
    return ImageError(rule, f"{name}: {received}", remedy)


def _picture(image: Image.Image, name: str, file: IO[bytes] | None = None) -> Picture:
    reopen = None if file is None else lambda: opened(file, name)
    with _silent_libtiff() if image.format == "TIFF" else nullcontext():
        colour, alpha, notes = decode(image, name, reopen)
    pixels = _tensor(colour).expand(1, 3, -1, -1).contiguous()
    mask = None if alpha is None else _tensor(alpha)
    return Picture(pixels, mask, name, None if file is None else digest(file), notes)


def check_size(size: tuple[int, int], name: str, max_megapixels: float) -> None:
    """Raises ImageError unless a picture of this (height, width) can be used."""
    height, width = size
    received = f"{name}: {width} × {height} pixels"
    if min(size) < SMALLEST_SIDE:
        rule = f"a picture must be at least {SMALLEST_SIDE} pixels in width and height"
        raise ImageError(rule, received, "use a larger picture")
    if max(size) > LARGEST_ASPECT * min(size):
        rule = f"a picture may be at most {LARGEST_ASPECT:g} times as long as it is wide"
        raise ImageError(rule, received, "crop it")
    megapixels = height * width / 1e6
    if not megapixels <= max_megapixels:
        rule = f"a picture may have at most {max_megapixels:g} megapixels"
        remedy = "shrink it, or raise max_megapixels (--max-megapixels)"
        raise ImageError(rule, f"{received} ({megapixels:.6g} megapixels)", remedy)


def sha256_of(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal; raises ImageError when it cannot be read."""
    with open_regular(Path(path)) as file:
        return digest(file)


def _tensor(samples: Samples) -> Float32[Tensor, "1 c h w"]:
    """`H W C` of uint8, uint16 or float as `1 C H W` in [0, 1]."""
    top = 1 if samples.dtype == np.float32 else np.iinfo(samples.dtype).max
    channels = np.ascontiguousarray(samples.transpose(2, 0, 1)[None])  # while it is small
    return torch.from_numpy(channels).to(torch.float32, copy=True).div_(top)


# ---- from pixels -----------------------------------------------------------------------------------


def _from_array(array: Samples, max_megapixels: float) -> Picture:
    plane = array[..., None] if array.ndim == 2 else array
    usable = array.dtype in (np.uint8, np.uint16) and plane.ndim == 3 and plane.shape[2] in (1, 3, 4)
    if not usable:
        rule = "an array must be H W, H W 3 or H W 4 of uint8 or uint16"
        raise ImageError(rule, f"{array.shape} of {array.dtype}", "convert it, or give a tensor 1 3 H W in [0, 1]")
    height, width, channels = plane.shape
    check_size((height, width), "an array", max_megapixels)
    pixels = _tensor(plane[..., :3]).expand(1, 3, -1, -1).contiguous()
    return Picture(pixels, _tensor(plane[..., 3:]) if channels == 4 else None, "<array>", None)


def _from_tensor(tensor: Tensor, max_megapixels: float) -> Picture:
    usable = tensor.ndim == 4 and tensor.shape[:2] == (1, 3) and tensor.is_floating_point()
    if not usable:
        received = f"{tuple(tensor.shape)} of {str(tensor.dtype).removeprefix('torch.')}"
        raise ImageError("a tensor must be 1 3 H W of floats in [0, 1]", received, "reshape and scale it")
    check_size((tensor.shape[2], tensor.shape[3]), "a tensor", max_megapixels)
    pixels = tensor.detach().to(torch.float32)
    low, high = float(pixels.min()), float(pixels.max())  # NaN if there is one
    if not (low >= -ROUNDING and high <= 1 + ROUNDING):
        rule = "a tensor must hold finite values in [0, 1]"
        raise ImageError(rule, f"values from {low:g} to {high:g}", "scale and clamp it")
    return Picture(pixels.clamp(0, 1), None, "<tensor>", None)


# ---- size ------------------------------------------------------------------------------------------


def fitted_size(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    """(height, width) with the same aspect ratio, the longer side `long_side` pixels, at least 1 each."""
    if long_side < 1 or min(size) < 1:
        raise ImageError("a size must be at least 1 pixel", f"{size} to {long_side}", "choose a larger size")
    height, width = (max(1, round(side * long_side / max(size))) for side in size)
    return height, width


def resize(pixels: Float[Tensor, "1 c h w"], size: tuple[int, int]) -> Float[Tensor, "1 c new_h new_w"]:
    """`pixels` at (height, width) `size`: bicubic, antialiased when shrinking, within [0, 1].

    Returns the very same tensor when it already has that size.
    """
    if tuple(pixels.shape[2:]) == tuple(size):
        return pixels
    if min(size) < 1:
        raise ImageError("a size must be at least 1 pixel", size, "choose a larger size")
    resized = functional.interpolate(pixels, size, mode="bicubic", align_corners=False, antialias=True)
    return resized.clamp(0, 1)


# ---- writing ---------------------------------------------------------------------------------------


def to_uint8(pixels: Float[Tensor, "1 c h w"]) -> UInt8[np.ndarray, "h w c"]:
    """`H W C` of 0 … 255, rounded to the nearest; values outside [0, 1] are clamped, NaN is refused."""
    return _samples(pixels, 8)


def _samples(pixels: Tensor, bits: int) -> Samples:
    values = pixels.detach().to("cpu", torch.float32)[0].permute(1, 2, 0)
    if not bool(values.isfinite().all()):
        rule = "a picture to be written must hold finite values"
        raise ImageError(rule, "NaN or infinity", "paint it again with a smaller learning rate or style weight")
    levels = values.clamp(0, 1).mul(2**bits - 1).round_()
    return levels.numpy().astype(np.uint8 if bits == 8 else np.uint16)


def _with_alpha(pixels: Tensor, alpha: Tensor | None) -> Tensor:
    if alpha is None:
        return pixels
    if alpha.shape != (1, 1, *pixels.shape[2:]):
        received = f"{tuple(alpha.shape)} for {tuple(pixels.shape)}"
        raise ImageError("alpha must have the size of the picture", received, "resize it")
    return torch.cat([pixels, alpha.to(pixels)], dim=1)


def to_pil(pixels: Float[Tensor, "1 3 h w"], alpha: Float[Tensor, "1 1 h w"] | None = None) -> Image.Image:
    """An 8 bit PIL image, RGB or with `alpha` RGBA."""
    return Image.fromarray(to_uint8(_with_alpha(pixels, alpha)))


def save(
    pixels: Float[Tensor, "1 3 h w"],
    path: str | os.PathLike[str],
    *,
    recipe: Mapping[str, Any] | None = None,
    alpha: Float[Tensor, "1 1 h w"] | None = None,
    bits: int = 8,
    quality: int = 95,
) -> None:
    """Writes a picture whole or not at all, tagged as sRGB, with the recipe inside.

    The suffix chooses the format. `bits` may be 16 for PNG only. `quality` is for JPEG (4:4:4) and
    WebP, which is lossless at 100. JPEG has no alpha: the picture is laid over white. The same
    picture gives the same bytes. Raises ImageError; a file that was there is then as it was.
    """
    destination = check_destination(path, bits=bits)
    if not 1 <= quality <= 100:
        raise ImageError("quality must be from 1 to 100", quality, "95 is a good one")
    text = None if recipe is None else recipes.to_text(recipe)
    kind = WRITABLE[Path(path).suffix.lower()]
    if kind == "PNG":
        samples = _samples(_with_alpha(pixels, alpha), bits)
        data = png.encode(samples, srgb_profile(), {} if text is None else {recipes.KEYWORD: text})
    else:
        data = _encoded(pixels, alpha, kind, text, quality)
    write_atomically(destination, data)


def _encoded(pixels: Tensor, alpha: Tensor | None, kind: str, text: str | None, quality: int) -> bytes:
    if kind == "JPEG" and alpha is not None:
        pixels, alpha = 1 - alpha + alpha * pixels, None
    options: dict[str, Any] = {"icc_profile": srgb_profile()}
    packet = None if text is None else recipes.to_xmp(text)
    if packet is not None and kind == "JPEG" and len(packet) > recipes.JPEG_XMP_LIMIT:
        rule = f"a JPEG holds a recipe of at most {recipes.JPEG_XMP_LIMIT} bytes"
        raise ImageError(rule, len(packet), "write a PNG, WebP or TIFF, or leave the history out")
    if kind == "TIFF":
        options |= {"compression": "tiff_adobe_deflate"}
        options |= {} if packet is None else {"tiffinfo": {TiffImagePlugin.XMP: packet}}
    else:
        options |= {"quality": quality} | ({} if packet is None else {"xmp": packet})
        options |= {"subsampling": 0} if kind == "JPEG" else {"lossless": quality == 100, "exact": True}
    buffer = io.BytesIO()
    try:
        to_pil(pixels, alpha).save(buffer, kind, **options)
    except (OSError, ValueError, MemoryError) as error:  # above all: more pixels than the format can count
        received = f"{pixels.shape[3]} × {pixels.shape[2]} pixels ({error})"
        raise ImageError(f"a picture must fit its format, {kind}", received, "write a PNG") from error
    return buffer.getvalue()


def check_destination(path: str | os.PathLike[str], *, bits: int = 8) -> Path:
    """Where a picture would be written, links followed, after a trial; call it before hours of painting.

    Raises ImageError unless the suffix is of a format that is written, with so many bits, the folder
    exists and a file can be made in it.
    """
    suffix = known_suffix(path, "a picture", WRITABLE)
    if bits not in (8, 16) or (bits == 16 and suffix != ".png"):
        rule = "a picture is written with 8 bits, or with 16 as PNG"
        raise ImageError(rule, f"{bits} bits for {suffix}", "write a PNG or choose 8 bits")
    return writable(Path(path))


# ---- the recipe ------------------------------------------------------------------------------------


def read_recipe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The recipe inside a picture; raises ImageError when there is none or it is damaged."""
    path = Path(path)
    with open_regular(path) as file, quiet_pillow(path.name):
        image = opened(file, path.name)
        text = image.info.get(recipes.KEYWORD)
        packet = image.info.get("xmp")
        if text is None and packet:
            text = recipes.from_xmp(packet if isinstance(packet, bytes) else str(packet).encode())
    if not isinstance(text, str):
        remedy = "name a picture that Gramarye wrote, not edited since"
        raise ImageError("the picture must have a recipe inside", path.name, remedy)
    return recipes.from_text(text, path.name)
