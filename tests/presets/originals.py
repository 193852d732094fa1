"""The losses of originals, written out plainly from their formulas or their files, on pictures 1 3 H W in [0, 1].

`see(picture, layers)` gives activations as the original has them, 1 N rows columns, in its units.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

See = Callable[[Tensor, tuple[str, ...]], dict[str, Tensor]]

RELUS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONVS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
FROM_THE_INPUT = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1")


def gram(activation: Tensor) -> Tensor:
    """G_ij = Σ_k F_ik·F_jk."""
    flat = activation[0].flatten(1)
    return flat @ flat.T


def gatys(x: Tensor, photograph: Tensor, painting: Tensor, see: See) -> Tensor:
    """½Σ(F−P)² + 10³·Σ_l ⅕·1/(4N²M²)·Σ(G−A)²: Gatys, Ecker and Bethge 2015, and the papers with its formulas."""
    f, p, a = (see(each, (*CONVS, "conv4_2")) for each in (x, photograph, painting))
    total = 0.5 * (f["conv4_2"] - p["conv4_2"]).square().sum()
    for layer in CONVS:
        n, m = f[layer].shape[1], f[layer][0, 0].numel()
        total = total + 1e3 * 0.2 * (gram(f[layer]) - gram(a[layer])).square().sum() / (4 * n**2 * m**2)
    return total


def konakanchi(x: Tensor, photograph: Tensor, painting: Tensor, see: See) -> Tensor:
    """The same with a total variation, Σ(dx² + dy²)."""
    variation = (x[..., 1:, :] - x[..., :-1, :]).square().sum() + (x[..., 1:] - x[..., :-1]).square().sum()
    return gatys(x, photograph, painting, see) + 5e6 * variation


def gatys_author(x: Tensor, photograph: Tensor, painting: Tensor, see: See) -> Tensor:
    """Mean squared errors of relu4_2 and of G/(h·w), the latter weighted 10³/n²."""
    f, p, a = (see(each, (*RELUS, "relu4_2")) for each in (x, photograph, painting))
    total = F.mse_loss(f["relu4_2"], p["relu4_2"])
    for layer, n in zip(RELUS, (64, 128, 256, 512, 512), strict=True):
        grams = [gram(each[layer]) / each[layer][0, 0].numel() for each in (f, a)]
        total = total + 1e3 / n**2 * F.mse_loss(*grams)
    return total


def neural_style(x: Tensor, photograph: Tensor, painting: Tensor, see: See) -> Tensor:
    """5·mse(relu4_2) + 100·Σ mse(G/(c·h·w)), without the total variation."""
    f, p, a = (see(each, (*RELUS, "relu4_2")) for each in (x, photograph, painting))
    total = 5 * F.mse_loss(f["relu4_2"], p["relu4_2"])
    for layer in RELUS:
        total = total + 100 * F.mse_loss(*[gram(each[layer]) / each[layer].numel() for each in (f, a)])
    return total


def jcjohnson(x: Tensor, photograph: Tensor, painting: Tensor, see: See) -> Tensor:
    """With ½·10⁻³·Σ(dx² + dy²) on pixels to 256, over those that have both neighbours."""
    pixels = 256 * x
    down = pixels[..., :-1, :-1] - pixels[..., 1:, :-1]
    right = pixels[..., :-1, :-1] - pixels[..., :-1, 1:]
    variation = 0.5 * (down.square() + right.square()).sum()
    return neural_style(x, photograph, painting, see) + 1e-3 * variation


def neural_style_pt(x: Tensor, photograph: Tensor, painting: Tensor, see: See) -> Tensor:
    """With 10⁻³·(Σ|dx| + Σ|dy|) on pixels to 256."""
    pixels = 256 * x
    down = (pixels[:, :, 1:, :] - pixels[:, :, :-1, :]).abs().sum()
    right = (pixels[:, :, :, 1:] - pixels[:, :, :, :-1]).abs().sum()
    return neural_style(x, photograph, painting, see) + 1e-3 * (down + right)


def crowson(x: Tensor, photograph: Tensor, painting: Tensor, see: See) -> Tensor:
    """0.015·mse(relu4_2) + Σ w_l·W₂²/N + 2·(nine-point total variation, diagonals over H·W), with exact roots."""
    f, p, a = (see(each, (*RELUS, "relu4_2")) for each in (x, photograph, painting))
    total = 0.015 * F.mse_loss(f["relu4_2"], p["relu4_2"])
    for layer, weight in zip(RELUS, (256, 64, 16, 4, 1), strict=True):
        (mean, covariance), (other, target) = _gaussian(f[layer]), _gaussian(a[layer])
        root = _root(target)
        cross = _root(root @ covariance @ root)
        squared = (mean - other).square().mean() + (covariance + target - 2 * cross).diagonal().mean()
        total = total + weight / 341 * squared
    return total + 2 * _nine_point(x)


def _gaussian(activation: Tensor) -> tuple[Tensor, Tensor]:
    flat = activation[0].flatten(1)
    mean = flat.mean(1)
    deviation = flat - mean[:, None]
    return mean, deviation @ deviation.T / flat.shape[1] + 1e-4 * torch.eye(len(flat)).to(flat)


def _root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
    return vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T


def _nine_point(x: Tensor) -> Tensor:
    y = F.pad(x, (1, 1, 1, 1), "replicate")
    here, inner, left, right = y[..., 1:-1, 1:-1], slice(1, -1), slice(None, -1), slice(1, None)
    straight = (y[..., inner, 2:] - here).square().mean() + (y[..., 2:, inner] - here).square().mean()
    falling, rising = y[..., right, right] - y[..., left, left], y[..., right, left] - y[..., left, right]
    return 2 * (straight / 3 + (falling.square().sum() + rising.square().sum()) / x.numel() / 12)


def gordic(x: Tensor, photograph: Tensor, painting: Tensor, see: See) -> Tensor:
    """10⁵·mse(conv4_2) + 3·10⁴·⅕·Σ Σ(G − A)² of G/(c·h·w) + Σ|dx| + Σ|dy| on pixels to 255."""
    loud = 255 * 0.226
    f, p, a = (see(each, (*RELUS, "conv4_2")) for each in (x, photograph, painting))
    total = 1e5 * F.mse_loss(loud * f["conv4_2"], loud * p["conv4_2"])
    style = 0.0
    for layer in RELUS:
        grams = [gram(loud * each[layer]) / each[layer].numel() for each in (f, a)]
        style = style + F.mse_loss(*grams, reduction="sum")
    pixels = 255 * x
    variation = (pixels[..., :-1] - pixels[..., 1:]).abs().sum() + (
        pixels[..., :-1, :] - pixels[..., 1:, :]
    ).abs().sum()
    return total + 3e4 * style / 5 + variation


def pystiche(x: Tensor, photograph: Tensor, painting: Tensor, see: See) -> Tensor:
    """mse(relu4_2) + 10³·Σ mse(G/M)."""
    f, p, a = (see(each, (*RELUS, "relu4_2")) for each in (x, photograph, painting))
    total = F.mse_loss(f["relu4_2"], p["relu4_2"])
    for layer in RELUS:
        total = total + 1e3 * F.mse_loss(*[gram(each[layer]) / each[layer][0, 0].numel() for each in (f, a)])
    return total


def tutorial(x: Tensor, photograph: Tensor, painting: Tensor, see: See) -> Tensor:
    """mse(conv_4) + 10⁶·Σ mse(G/(c·h·w)) over conv_1 … conv_5, counted from the input; Joshi and Hu's baseline too."""
    f, p, a = (see(each, FROM_THE_INPUT) for each in (x, photograph, painting))
    total = F.mse_loss(f["conv2_2"], p["conv2_2"])
    for layer in FROM_THE_INPUT:
        total = total + 1e6 * F.mse_loss(*[gram(each[layer]) / each[layer].numel() for each in (f, a)])
    return total


def joshi_hu_revised(x: Tensor, photograph: Tensor, painting: Tensor, see: See) -> Tensor:
    """mae(relu_5) + 10⁴·Σ mae(G/(c·h·w)) over relu_1 … relu_5."""
    names = tuple(name.replace("conv", "relu") for name in FROM_THE_INPUT)
    f, p, a = (see(each, names) for each in (x, photograph, painting))
    total = F.l1_loss(f["relu3_1"], p["relu3_1"])
    for layer in names:
        total = total + 1e4 * F.l1_loss(*[gram(each[layer]) / each[layer].numel() for each in (f, a)])
    return total


def keras(x: Tensor, photograph: Tensor, painting: Tensor, see: See) -> Tensor:
    """2.5·10⁻⁸·Σ(C−B)² of relu5_1 (times 0.2313) + 10⁻⁶·⅕·Σ Σ(S−C)²/(4·3²·size²) + 10⁻⁶·Σ(a+b)^1.25 to 255."""
    f, p, a = (see(each, RELUS) for each in (x, photograph, painting))
    total = 0.2313 * 2.5e-8 * (f["relu5_1"] - p["relu5_1"]).square().sum()
    size = x.shape[2] * x.shape[3]
    for layer in RELUS:
        total = total + 1e-6 / 5 * (gram(f[layer]) - gram(a[layer])).square().sum() / (4 * 3**2 * size**2)
    pixels = 255 * x
    down = (pixels[..., :-1, :-1] - pixels[..., 1:, :-1]).square()
    right = (pixels[..., :-1, :-1] - pixels[..., :-1, 1:]).square()
    return total + 1e-6 * (down + right).pow(1.25).sum()


ORIGINALS = {
    "gatys-2015": gatys,
    "konakanchi": konakanchi,
    "gradient-descent": gatys,
    "vgg19-primer": gatys,
    "joshi-hu-baseline": tutorial,
    "joshi-hu-revised": joshi_hu_revised,
    "keras": keras,
    "gatys-author": gatys_author,
    "gatys-control": gatys_author,
    "jcjohnson": jcjohnson,
    "neural-style-pt": neural_style_pt,
    "crowson": crowson,
    "gordic": gordic,
    "pystiche": pystiche,
    "pytorch-tutorial": tutorial,
}
