"""Pictures as spectra: what feature visualisation optimises in place of pixels, and how it keeps them unsteady.

Olah, Mordvintsev and Schubert 2017, "Feature Visualization" (Distill), with the constants of their program, lucid:
frequencies that weigh 1/f, as in photographs, and colours along the axes in which those of photographs vary
independently, so that a step of the optimiser moves all of a picture and not single pixels; and a network that
sees it shifted, scaled and turned anew at each evaluation, so that what it finds does not hang on the pixel grid.

Differs from lucid in two things that keep VGG's pictures from turning into hard, bright stipple at small sizes, and
cost next to nothing of what they excite: all have the contrast of a photograph, and the highest frequencies weigh less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gramarye.optimize import Sight

Spectra = Float[Tensor, "batch 6 side half"]  # real parts of three colours, then their imaginary parts
Pictures = Float[Tensor, "batch 3 side side"]

SPREAD = 0.01  # deviation of the first coefficients, a fifth of what Adam's first step adds
CONTRAST = 1.5  # root mean square of log(x/(1 − x)); of fourteen photographs it is 0.8 to 2.5, on the mean 1.4
ROLL_OFF = 0.12  # cycles per pixel: from there on frequencies weigh less than 1/f
PAD, JITTER, ZOOM, DEGREES = 12, 8, 0.1, 10.0  # pixels, pixels, relative, degrees
GREY = 0.5  # beyond the border
# Covariance of the sRGB colours (red, green, blue) within a picture, the mean of fourteen photographs of people,
# animals, still lifes, towns and landscapes.
COLOR_COVARIANCE = ((0.0473, 0.0392, 0.0316), (0.0392, 0.0439, 0.0409), (0.0316, 0.0409, 0.0478))


def first_spectra(count: int, side: int, generator: torch.Generator) -> Spectra:
    """Random spectra of `count` pictures, `side` (even) pixels square."""
    return SPREAD * torch.randn(count, 6, side, side // 2 + 1, generator=generator)


def pictures_of(spectra: Spectra) -> Pictures:
    """The pictures of spectra: x = σ(κ · u/rms(u)) with u = C · irfft2(w(f)·z), sRGB in [0, 1].

    z are the complex coefficients and w(f) their `frequency_weights`; C is the root of the colours' covariance;
    κ is CONTRAST; σ(t) = 1/(1 + e⁻ᵗ).
    """
    side = spectra.shape[2]
    coefficients = torch.complex(spectra[:, :3], spectra[:, 3:])
    weighted = coefficients * frequency_weights(side).to(spectra.device)
    waves = torch.fft.irfft2(weighted, s=(side, side), norm="ortho")
    colors = torch.einsum("ij,bjhw->bihw", color_axes().to(waves), waves)
    size = colors.square().mean((1, 2, 3), keepdim=True).sqrt().clamp_min(1e-12)
    return torch.sigmoid(CONTRAST * colors / size)


@lru_cache(maxsize=8)
def frequency_weights(side: int) -> Float[Tensor, "side half"]:
    """w(f) = exp(−½·(f/0.12)²)/f for each coefficient of a real picture, f in cycles per pixel, at least 1/side."""
    down, across = torch.fft.fftfreq(side), torch.fft.rfftfreq(side)
    frequency = torch.hypot(down[:, None], across[None, :]).clamp_min(1 / side)
    weights: Tensor = torch.exp(-0.5 * (frequency / ROLL_OFF).square()) / frequency
    return weights


def color_axes() -> Float[Tensor, "3 3"]:
    """The root of the colours' covariance, one axis a column (light, then two of hue), the longest of length 1."""
    values, vectors = torch.linalg.eigh(torch.tensor(COLOR_COVARIANCE, dtype=torch.float64))
    axes = vectors * values.sqrt()
    ordered: Tensor = (axes / axes.norm(dim=0).max()).flip(1)
    return ordered.float()


def unsteady(pictures: Pictures, generator: torch.Generator) -> Float[Tensor, "batch 3 larger larger"]:
    """The pictures in a grey frame, each shifted by up to 4 px, zoomed by 0.9 to 1.1 and turned by up to 10°.

    One interpolation does it all: out comes `side` + 2·PAD − JITTER pixels square.
    """
    count, side = pictures.shape[0], pictures.shape[2]
    seen = side + 2 * PAD - JITTER
    zoom, turn, down, across = (2 * torch.rand(4, count, generator=generator) - 1).unbind()
    angle = math.radians(DEGREES) * turn
    scale = seen / side / (1 + ZOOM * zoom)
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    rows = (torch.stack([cosine, -sine, across * JITTER / side]), torch.stack([sine, cosine, down * JITTER / side]))
    affine = torch.stack(rows).permute(2, 0, 1).to(pictures)
    grid = F.affine_grid(affine, [count, 3, seen, seen], align_corners=False)
    return F.grid_sample(pictures - GREY, grid, align_corners=False) + GREY


@dataclass
class Imagination:
    """A network that looks at spectra: what Descent is given in place of a network that looks at pixels."""

    network: Sight
    generator: torch.Generator = field(repr=False)

    def __call__(self, spectra: Spectra, layers: Sequence[str]) -> Mapping[str, Tensor]:
        """The activations of the spectra's pictures, seen a little differently at each call."""
        return self.network(unsteady(pictures_of(spectra), self.generator), layers)
