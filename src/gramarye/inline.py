"""Pictures written into a page: as data URIs, so that nothing need be fetched."""

from __future__ import annotations

import base64
import io
from typing import Any

from jaxtyping import Float
from torch import Tensor

from gramarye import images

MIME = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "SVG": "image/svg+xml"}
# A tenth larger than the best that Pillow can, in half the time.
_FAST: dict[str, dict[str, Any]] = {"PNG": {"compress_level": 3}, "JPEG": {"optimize": True}, "WEBP": {"method": 2}}


def shrunk(pixels: Float[Tensor, "1 3 h w"], long_side: int) -> Float[Tensor, "1 3 hs ws"]:
    """`pixels` with its longer side at most `long_side`; never enlarged."""
    size = (pixels.shape[2], pixels.shape[3])
    return pixels if max(size) <= long_side else images.resize(pixels, images.fitted_size(size, long_side))


def encoded(pixels: Float[Tensor, "1 3 h w"], kind: str = "JPEG", *, quality: int = 86) -> bytes:
    """The bytes of a picture, 1 3 H W, as PNG, JPEG or WEBP; values outside [0, 1] are clamped."""
    buffer = io.BytesIO()
    images.to_pil(pixels).save(buffer, kind, quality=quality, **_FAST[kind])
    return buffer.getvalue()


def data_uri(data: bytes, kind: str) -> str:
    """`data` of a PNG, JPEG, WEBP or SVG as a URI that holds it."""
    return f"data:{MIME[kind]};base64,{base64.b64encode(data).decode('ascii')}"


def picture_uri(pixels: Float[Tensor, "1 3 h w"], long_side: int, kind: str = "JPEG") -> str:
    """A picture, 1 3 H W, as a data URI with its longer side at most `long_side`."""
    return data_uri(encoded(shrunk(pixels, long_side), kind), kind)
