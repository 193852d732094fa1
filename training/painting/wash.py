"""The watercolourist's bench: rough paper, and washes that flow, settle, bloom and dry."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .materials import Array, clouds, noise, pigment, step

SHAPE = (1504, 1120)  # twice the finished size


def grid() -> tuple[Array, Array]:
    """Pixel coordinates x and y (H W)."""
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(np.float32)
    return x, y


class Sheet:
    """Rough paper and what has dried on it: optical density of red, green and blue (H W 3)."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.density = np.zeros((*SHAPE, 3), np.float32)
        tooth = 0.75 * noise(SHAPE, 5, rng) + 0.55 * noise(SHAPE, 3, rng) + 0.4 * noise(SHAPE, 10, rng)
        self.tooth = (tooth / tooth.std()).astype(np.float32)

    def wash(self, mask: Array, code: str, strength: Array | float, edge: float = 0.5, grain: float = 0.16) -> None:
        """One wash: pigment flows to the wet edge, settles in the valleys of the paper, and pools."""
        ragged = step(
            mask + 0.10 * self.tooth * 4 * mask * (1 - mask) + 0.05 * noise(SHAPE, 9, self.rng) * 4 * mask * (1 - mask),
            0.42,
            0.58,
        )
        soft = np.maximum(ragged, mask) if edge == 0 else ragged
        dark_edge = np.clip(soft - ndimage.gaussian_filter(soft, 4.5), 0, 1) * 1.1
        dark_edge += np.clip(soft - ndimage.gaussian_filter(soft, 18), 0, 1) * 0.45
        pool = 1 + 0.26 * clouds(SHAPE, 110, self.rng, 4)
        settle = 1 - grain * self.tooth * (0.6 + 0.4 * np.clip(pool, 0, 2))
        amount = np.asarray(strength, np.float32) * soft * np.maximum(pool * settle * (1 + edge * dark_edge * 2), 0)
        self.density -= np.log(np.maximum(pigment(code), 0.02)) * amount[..., None]

    def mist(self, cover: Array) -> None:
        """Lift wet paint with a damp brush."""
        self.density *= 1 - cover[..., None]

    def dry_brush(self, mask: Array, code: str, strength: float, paint: float) -> None:
        """A nearly dry brush touches only the tops of the paper's tooth."""
        touched = step(self.tooth + paint, -0.2, 0.25) * step(mask, 0.3, 0.7)
        self.density -= np.log(np.maximum(pigment(code), 0.02)) * (strength * touched)[..., None]

    def bloom(self, x: float, y: float, size: float, drop: float = 0.5) -> None:
        """A drop of water in a half-dry wash: a pale cauliflower with a dark crinkled rim."""
        right, down = grid()
        around = np.arctan2(down - y, right - x)
        crinkle = 0.13 * noise(SHAPE, size / 3, self.rng) + 0.06 * noise(SHAPE, size / 9, self.rng)
        far = np.hypot(right - x, (down - y) * 1.25) / size + crinkle + 0.05 * np.sin(around * 5)
        rim = np.exp(-(((far - 1) / 0.05) ** 2)) + 0.5 * step(far, 1.35, 1.0) * (far > 1)
        self.density *= (1 - drop * step(far, 1.02, 0.75) + 0.35 * rim)[..., None]

    def dried(self) -> Array:
        """The finished sheet: light through the pigment, on cream paper whose tooth throws small shadows."""
        relief = np.gradient(ndimage.gaussian_filter(self.tooth, 0.8), axis=1) + np.gradient(self.tooth, axis=0) * 0.5
        paper = pigment("fbf5e8") * (1 - 0.028 * relief)[..., None]
        return np.clip(paper * np.exp(-self.density), 0, 1)
