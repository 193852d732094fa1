"""What the scores are: pure functions of pictures 1 3 H W, sRGB in [0, 1], and of activations 1 N rows columns."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gramarye import detail, recolor

Pixels = Float[Tensor, "1 3 h w"]
Activation = Float[Tensor, "1 n rows columns"]
Score = Float[Tensor, ""]

POSITIONS = 32  # rows and columns, at most, between which self-similarity is taken: it costs their fourth power
WINDOW = 11  # pixels of SSIM's Gaussian window, of deviation 1.5: Wang et al. 2004
BINS, RANGE, FLOOR = 48, 4.0, 0.02  # of a log-chroma histogram: bins a side, ± its range, and what is added to colours


def self_similarity_divergence(found: Tensor, photograph: Tensor) -> Score:
    """CFSD: the mean over positions of KL(S_content ‖ S_output) in nats, of activations 1 N rows columns.

    S = softmax over positions of FᵀF/m, m being the photograph's mean squared length of an activation vector; at
    most 32×32 positions, averages of neighbours. Chung, Hyun and Heo 2024, “Style Injection in Diffusion”, CFSD.
    Differs from it in m, which is N² there: the result does not depend on the size of the network's activations.
    """
    rows, columns = (min(POSITIONS, side) for side in photograph.shape[2:])
    x, p = (F.adaptive_avg_pool2d(each, (rows, columns))[0].flatten(1) for each in (found, photograph))
    length = p.square().sum(0).mean().clamp_min(1e-12)
    similar, wanted = (torch.log_softmax(each.T @ each / length, dim=1) for each in (x, p))
    return (wanted.exp() * (wanted - similar)).sum(1).mean().clamp_min(0)


def structural_similarity(one: Pixels, other: Pixels) -> Score:
    """SSIM of two pictures' luminance, Gaussian window of 11 pixels: Wang et al. 2004. Symmetric, 1 for the same."""
    from kornia.metrics import ssim

    maps = ssim(recolor.luminance(one), recolor.luminance(other), WINDOW, eps=0.0, padding="valid")
    return maps.mean()


def relative_difference(found: Tensor, wanted: Tensor) -> Score:
    """‖F − P‖²/‖P‖²: 0 for the same, 1 for nothing at all."""
    return (found - wanted).square().sum() / wanted.square().sum().clamp_min(1e-12)


def color_distance(one: Pixels, other: Float[Tensor, "1 3 ho wo"]) -> Score:
    """The Hellinger distance √(1 − Σ√(p·q)) of two pictures' log-chroma histograms: symmetric, from 0 to 1."""
    p, q = log_chroma_histogram(one), log_chroma_histogram(other)
    return (1 - (p * q).sqrt().sum()).clamp(0, 1).sqrt()


def log_chroma_histogram(image: Pixels) -> Float[Tensor, " bins"]:
    """How often each pair of log(R/G) and log(B/G) occurs, weighted by √(R² + G² + B²); sums to 1.

    0.02 is added to colours, so that black has one; a pixel is shared among the four nearest bins. After Afifi,
    Brubaker and Brown 2021, “HistoGAN”, whose histogram has three such planes.
    """
    red, green, blue = (image[0].flatten(1).double() + FLOOR).unbind(0)
    places = [(((each / green).log() / RANGE).clamp(-1, 1) + 1) / 2 * (BINS - 1) for each in (red, blue)]
    amount = torch.sqrt(red.square() + green.square() + blue.square())
    total = amount.new_zeros(BINS * BINS)
    (u, v), (u_low, v_low) = places, [each.floor().clamp_max(BINS - 2) for each in places]
    for across in (0, 1):
        for down in (0, 1):
            share = (1 - (u - u_low - across).abs()) * (1 - (v - v_low - down).abs())
            total.index_add_(0, ((u_low + across) * BINS + v_low + down).long(), share * amount)
    return total / total.sum()


def detail_lost(photograph: Pixels, painted: Pixels) -> Score:
    """Σ e·(1 − ρ) / Σ e: e how much there is to see (`detail.edges`), ρ how much of it is kept (`detail.kept`)."""
    edges = detail.edges(photograph)
    return (edges * (1 - detail.kept(photograph, painted))).sum() / edges.sum().clamp_min(1e-12)
