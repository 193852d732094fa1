"""HDR films as sRGB: HLG and PQ to light, BT.2020's primaries to sRGB's, and highlights rolled off.

Source: Recommendations ITU-R BT.2100-2 (tables 4 and 5), BT.2087-0 (primaries) and BT.2408-7 (reference white);
Reinhard et al. 2002, "Photographic Tone Reproduction for Digital Images", equation 4.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

NAMES = {16: "PQ", 18: "HLG"}  # transfer characteristics (ITU-T H.273, table 3)
BT2020 = 9  # as primaries (table 2)
WHITE = 203.0  # cd/m², BT.2408's reference white, and sRGB's white here before the roll-off
PEAK = 1000.0  # cd/m², what becomes sRGB's white with it
_TO_BT709 = ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187))
_LUMA = (0.2627, 0.6780, 0.0593)

Planes = Float[Tensor, "1 3 height width"]


def to_srgb(signal: Planes, transfer: int, primaries: int = BT2020) -> Planes:
    """R'G'B' of HLG (18) or PQ (16) in [0, 1], as sRGB in [0, 1].

    Each channel's light L, in units of WHITE, becomes L (1 + L/p²) / (1 + L), with p = PEAK / WHITE.
    """
    light = (_pq(signal) if transfer == 16 else _hlg(signal)) / WHITE
    if primaries == BT2020:
        light = torch.einsum("ij,bjhw->bihw", light.new_tensor(_TO_BT709), light).clamp(min=0)
    peak = PEAK / WHITE
    return _encoded((light * (1 + light / peak**2) / (1 + light)).clamp(0, 1))


def _pq(signal: Tensor) -> Tensor:
    """The light of PQ in cd/m²: the EOTF of BT.2100, table 4."""
    power = signal.clamp(0, 1) ** (1 / 78.84375)
    return 10_000 * ((power - 0.8359375).clamp(min=0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)


def _hlg(signal: Tensor) -> Tensor:
    """The light of HLG on a display of 1000 cd/m²: inverse OETF and OOTF of BT.2100, table 5."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = torch.where(signal <= 0.5, signal**2 / 3, (((signal - c) / a).exp() + b) / 12)
    luma = torch.einsum("j,bjhw->bhw", scene.new_tensor(_LUMA), scene)[:, None]
    return PEAK * luma.clamp(min=1e-6) ** 0.2 * scene


def _encoded(light: Tensor) -> Tensor:
    """Linear light as sRGB (IEC 61966-2-1)."""
    return torch.where(light <= 0.0031308, 12.92 * light, 1.055 * light.clamp(min=1e-8) ** (1 / 2.4) - 0.055)
