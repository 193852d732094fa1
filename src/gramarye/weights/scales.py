"""How large a network's activations are, layer by layer, and the sizes that presets' weights were tuned for.

The scale of a ReLU layer is the root mean square of its activations per published channel,

    s = √(1/(N·M)·Σ_k ‖F_k‖²),

F_k being the activation vector of position k, M the positions and N the channels that the layer has in the
published network: also for the embedded network, whose calibrated vectors are shorter but as long, so that one
measure serves both. Taken on one photograph, Grace Hopper's portrait (US Navy, public domain) that matplotlib
ships, long side 224 px, with max pooling and zero padding: what the networks were trained with.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from gramarye import demo
from gramarye.errors import WeightsError
from gramarye.layers import table

if TYPE_CHECKING:
    from gramarye.weights.importing import Weights

KEY = "activation_scales"  # in the metadata of a safetensors file
LONG_SIDE = 224

# Scale and mean activation of Oxford's VGG-19, measured as above with `measured` and `means`. The kernels that
# were measured had been rounded to float16 and, from conv4_1 on, to 8 bits: 1.6 % to 3.5 % of the features.
OXFORD: dict[str, tuple[float, float]] = {
    "relu1_1": (59.229, 28.828),
    "relu1_2": (249.14, 119.62),
    "relu2_1": (289.9, 158.11),
    "relu2_2": (366.48, 138.77),
    "relu3_1": (398.6, 172.12),
    "relu3_2": (416.32, 210.19),
    "relu3_3": (685.98, 433.63),
    "relu3_4": (1179.4, 624.74),
    "relu4_1": (1277.2, 676.87),
    "relu4_2": (1031.6, 452.79),
    "relu4_3": (645.47, 260.16),
    "relu4_4": (253.3, 61.629),
    "relu5_1": (197, 68.607),
    "relu5_2": (94.745, 28.742),
    "relu5_3": (39.881, 11.409),
    "relu5_4": (7.0594, 0.97206),
}


def measured(weights: Weights) -> dict[str, float]:
    """The scale of every ReLU layer that the weights reach, by its name."""
    channels = {name: layer.channels for name, layer in table(weights.network).items()}
    return {
        name: float((activation.square().sum(1).mean() / channels[name]).sqrt())
        for name, activation in _activations(weights).items()
    }


def means(weights: Weights) -> dict[str, float]:
    """The mean activation of every ReLU layer that the weights reach, by its name."""
    return {name: float(activation.mean()) for name, activation in _activations(weights).items()}


def to_json(scales: Mapping[str, float]) -> str:
    """The scales as one line of JSON, for the metadata of a safetensors file."""
    return json.dumps({name: float(f"{scale:.6g}") for name, scale in scales.items()})


def from_json(text: str) -> dict[str, float]:
    """The scales that `to_json` wrote; raises WeightsError for anything else."""
    try:
        scales = {str(name): float(scale) for name, scale in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise WeightsError("activation scales are JSON, a number a layer", text[:200]) from None
    if not all(math.isfinite(scale) and scale >= 0 for scale in scales.values()):
        raise WeightsError("activation scales are finite and not negative", text[:200])
    return scales


def _photograph() -> Tensor:
    """The photograph at its size, 1 3 H W, sRGB in [0, 1]."""
    from matplotlib.image import imread

    try:
        pixels = torch.tensor(imread(demo.photograph()), dtype=torch.float32) / 255
    except OSError as error:
        remedy = "install matplotlib again, with its sample data"
        raise WeightsError("activations are measured on matplotlib's grace_hopper.jpg", error, remedy) from None
    image = pixels.permute(2, 0, 1)[None]
    factor = LONG_SIDE / max(image.shape[2:])
    size = [round(side * factor) for side in image.shape[2:]]
    return F.interpolate(image, size, mode="bilinear", antialias=True)


@torch.no_grad()
def _activations(weights: Weights) -> dict[str, Tensor]:
    """The ReLU layers of the photograph, calibrated where the network is: a plain forward pass."""
    convention, found = weights.convention, {}
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (convention.mean, convention.std))
    image = _photograph()
    activation = ((image if convention.order == "RGB" else image.flip(1)) * convention.scale - mean) / std
    for name, layer in table(weights.network).items():
        if layer.kind == "conv":
            if f"{name}.weight" not in weights.tensors:
                break
            kernel, bias = (weights.tensors[f"{name}.{part}"].float() for part in ("weight", "bias"))
            activation = F.conv2d(activation, kernel, bias, padding=1)
        elif layer.kind == "relu":
            activation = F.relu(activation)
            matrix = weights.calibration.get(name)
            found[name] = activation if matrix is None else F.conv2d(activation, matrix.float()[:, :, None, None])
        elif layer.kind == "pool":
            activation = F.max_pool2d(activation, 2)
    return found
