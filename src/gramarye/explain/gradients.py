"""The gradients of the VGG-19 primer worked out by hand, beside those of automatic differentiation.

The paper gives them "if F > 0", and 0 "if F < 0". After a ReLU no F is below 0: what is meant is the gradient with
respect to the layer before its ReLU, Z with F = max(0, Z), through which nothing passes where Z < 0. For a layer that
has no ReLU (conv, pool, pixels) the condition falls away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from gramarye import statistics
from gramarye.explain.formulas import Formula
from gramarye.explain.numerals import written

Features = Float[Tensor, "channels positions"]
Gram = Float[Tensor, "channels channels"]
Activation = Float[Tensor, "1 channels rows columns"]
Another = Float[Tensor, "1 channels other_rows other_columns"]  # of a picture of another size

SAMPLE = 150  # entries of a gradient that are kept to be drawn
LEAST = 1e-300


@dataclass(frozen=True)
class Gradient:
    """An analytic gradient of the primer beside autograd's, at one layer, with respect to what comes before its ReLU.

    `difference` is max |analytic − autograd| / max |autograd| in double precision; `difference_single` the same
    of autograd in single precision, in which terms are computed when a picture is painted. `rectified` tells whether a
    ReLU stands there, and "0 if F < 0" applies; `silent` is the share of activations that are 0 for it. `analytic` and
    `autograd` are the same sample of entries, the largest first, over max |autograd|. `formula` is that of the paper
    with the numbers of the largest entry.
    """

    key: str  # content or style
    layer: str
    rectified: bool
    silent: float
    largest: float
    difference: float
    difference_single: float
    formula: Formula
    analytic: Tensor = field(repr=False)
    autograd: Tensor = field(repr=False)


def content_gradient(found: Features, photograph: Features, rectified: bool = True) -> Features:
    """∂L_content/∂F_ij = (F − P)_ij if F_ij > 0, else 0; without the condition if no ReLU stands there."""
    gradient = found - photograph
    return gradient * (found > 0) if rectified else gradient


def style_gradient(found: Features, painting: Gram, rectified: bool = True) -> Features:
    """∂E_l/∂F_ij = 1/(N²M²) · ((F)ᵀ(G − A))_ji if F_ij > 0, else 0, with G = F·Fᵀ. The VGG-19 primer.

    `painting` is A, of as many positions as F has: multiply by M/M' if the painting has M'.
    """
    channels, positions = found.shape
    gram = found @ found.T
    gradient = (found.T @ (gram - painting)).T / (channels**2 * positions**2)
    return gradient * (found > 0) if rectified else gradient


def compare(layer: str, before: Activation, photograph: Activation, painting: Another) -> tuple[Gradient, Gradient]:
    """Both gradients at one layer, for a picture, the photograph and the painting.

    All three are activations *before* the ReLU for a relu layer, those of the layer itself for others.
    """
    rectified = layer.startswith("relu")
    pictures = [each.double().clamp_min(0) if rectified else each.double() for each in (before, photograph, painting)]
    features, others, painted = (each[0].flatten(1) for each in pictures)
    gram = painted @ painted.T * (features.shape[1] / painted.shape[1])
    by_hand = {
        "content": content_gradient(features, others, rectified),
        "style": style_gradient(features, gram, rectified),
    }
    tell = {"content": partial(_content_formula, features, others), "style": partial(_style_formula, features)}
    content, style = (
        _beside(key, layer, rectified, before, by_hand[key], loss, tell[key])
        for key, loss in _losses(*pictures[1:]).items()
    )
    return content, style


def _losses(photograph: Tensor, painting: Tensor) -> Mapping[str, Callable[[Tensor], Tensor]]:
    """The two losses of Gramarye's statistics, in the precision of what they are given."""

    def content(found: Tensor) -> Tensor:
        return statistics.content_distance(found, photograph.to(found.dtype))

    def style(found: Tensor) -> Tensor:
        target = statistics.gram_matrix(painting.to(found.dtype))
        return statistics.gram_distance(statistics.gram_matrix(found), target)

    return {"content": content, "style": style}


def _beside(
    key: str,
    layer: str,
    rectified: bool,
    before: Tensor,
    analytic: Features,
    loss: Callable[[Tensor], Tensor],
    tell: Callable[[str, tuple[int, int], float, float], Formula],
) -> Gradient:
    double, single = (_autograd(before.to(dtype), loss, rectified) for dtype in (torch.float64, torch.float32))
    largest = int(double.abs().argmax())
    scale = max(float(double.abs().max()), LEAST)
    spread = torch.linspace(0, analytic.numel() - 1, min(SAMPLE, analytic.numel())).long()
    sample = torch.cat([torch.tensor([largest]), spread])
    entry = divmod(largest, analytic.shape[1])
    return Gradient(
        key=key,
        layer=layer,
        rectified=rectified,
        silent=float((before <= 0).double().mean()) if rectified else 0.0,
        largest=float(double[entry]),
        difference=float((analytic - double).abs().max()) / scale,
        difference_single=float((analytic - single.double()).abs().max()) / scale,
        formula=tell(layer, entry, float(analytic[entry]), float(double[entry])),
        analytic=(analytic.flatten()[sample] / scale).float(),
        autograd=(double.flatten()[sample] / scale).float(),
    )


def _content_formula(
    found: Features, photograph: Features, layer: str, entry: tuple[int, int], value: float, own: float
) -> Formula:
    numbers = ("{0} − {1} = {2}", "{0} - {1} = {2}")
    return Formula(
        key="content gradient",
        name=f"Gradient of content at {layer}",
        layer=layer,
        text="∂L_content/∂Fᵢₖ = Fᵢₖ − Pᵢₖ where Fᵢₖ > 0, else 0",
        mathtext=r"\frac{\partial L_{content}}{\partial F_{ik}} = F_{ik} - P_{ik}\ \ (F_{ik} > 0)",
        meaning="How the content loss rises with an activation, where all places count alike; painting goes the other "
        f"way. This is the steepest: channel {entry[0]}, place {entry[1]:,}.",
        **written(numbers, float(found[entry]), float(photograph[entry]), value),
        value=value,
        own=own,
    )


def _style_formula(found: Features, layer: str, entry: tuple[int, int], value: float, own: float) -> Formula:
    channels, positions = found.shape
    numbers = ("{0} / ({1}² · {2}²) = {3}", r"\frac{{ {0} }}{{ {1}^2 \cdot {2}^2 }} = {3}")
    return Formula(
        key="style gradient",
        name=f"Gradient of style at {layer}",
        layer=layer,
        text="∂E_l/∂Fᵢₖ = 1 / (N² M²) · (Fᵀ (G − A))ₖᵢ where Fᵢₖ > 0, else 0",
        mathtext=r"\frac{\partial E_l}{\partial F_{ik}} = \frac{1}{N^2 M^2} (F^T (G - A))_{ki}\ \ (F_{ik} > 0)",
        meaning="How the style loss rises with an activation; painting goes the other way. This is the steepest: "
        f"channel {entry[0]}, place {entry[1]:,}.",
        **written(numbers, value * channels**2 * positions**2, channels, positions, value),
        value=value,
        own=own,
    )


def _autograd(before: Tensor, loss: Callable[[Tensor], Tensor], rectified: bool) -> Features:
    with torch.enable_grad():
        leaf = before.detach().clone().requires_grad_()
        found = torch.relu(leaf) if rectified else leaf
        (gradient,) = torch.autograd.grad(loss(found), leaf)
    return gradient[0].flatten(1)
