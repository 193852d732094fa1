"""Units: whose activations' size a preset's weights were tuned for, and what brings a network's into them.

With activations s times larger a content term grows with s² and a Gram term with s⁴, so the same weights mean
something else on another training of the same network. ReLU networks with max, average or l2 pooling are positively
homogeneous: multiplying a layer's kernels and bias multiplies its activations, and dividing the next kernels
by the same undoes it. So activations can be had in any units, exactly and at no cost.

    own           as the network has them
    oxford        as Oxford's VGG-19 (pictures of 0 … 255)
    torchvision   as torchvision's VGG-19 (standardised pictures)
    normalised    with a mean of 1 in every layer (Gatys, Ecker and Bethge 2016 have it in every filter)

The factor of a layer is its scale in these units over the network's own. All units are VGG-19's, also on VGG-16.
"""

from __future__ import annotations

from gramarye.errors import SettingsError, WeightsError, unknown_name
from gramarye.layers import convolutions
from gramarye.weights import scales, store
from gramarye.weights.importing import Weights
from gramarye.weights.recognition import published

UNITS = ("own", "oxford", "torchvision", "normalised")

# torchvision's scales are Oxford's over this, unless torchvision's weights have been imported here: an estimate from
# the losses that the PyTorch tutorial prints (style 0.26, content 2.65); see docs/papers.md. The input alone is 57.6
# times smaller.
TORCHVISION_RATIO = 100.0
TORCHVISION_SOURCE = "vgg19-torchvision"


def native(weights: Weights) -> str:
    """The units that a network's own activations are in: oxford, torchvision, or own if they are nobody's.

    The embedded network was calibrated so that distances equal those of Oxford's.
    """
    if weights.calibration:
        return "oxford"
    known = published(weights.network, weights.tensors["conv1_1.weight"])
    return known[0].name.removeprefix(f"{weights.network}-") if known else "own"


def scales_of(weights: Weights) -> dict[str, float]:
    """The scale of every ReLU layer: Oxford's for the embedded network, else as recorded, else measured."""
    if native(weights) == "oxford" and weights.network.startswith("vgg19"):
        return reference("oxford")
    return weights.scales or scales.measured(weights)


def reference(units: str) -> dict[str, float]:
    """The scale of every ReLU layer of VGG-19 in `units`."""
    if units == "oxford":
        return {layer: scale for layer, (scale, _) in scales.OXFORD.items()}
    if units == "normalised":
        return {layer: scale / mean for layer, (scale, mean) in scales.OXFORD.items()}
    recorded = store.recorded_scales(TORCHVISION_SOURCE)
    return recorded or {layer: scale / TORCHVISION_RATIO for layer, (scale, _) in scales.OXFORD.items()}


def unit_factors(weights: Weights, units: str) -> dict[str, float]:
    """By what the activations of each convolution are multiplied to come in `units`, by its name: conv1_1, …

    All 1 where they are already. Raises SettingsError for unknown units, WeightsError for a layer of zeros alone.
    """
    if units not in UNITS:
        raise SettingsError(*unknown_name("units", units, UNITS))
    names = [name for name in convolutions(weights.network) if f"{name}.weight" in weights.tensors]
    if units in ("own", native(weights)):
        return dict.fromkeys(names, 1.0)
    wanted, own = reference(units), scales_of(weights)
    factors = {}
    for name in names:
        layer = name.replace("conv", "relu")
        if not own.get(layer):
            received = f"{layer} of {weights.path}, which is all 0"
            raise WeightsError("units need activations that are not 0", received, "set network.units=own")
        factors[name] = wanted[layer] / own[layer]
    return factors
