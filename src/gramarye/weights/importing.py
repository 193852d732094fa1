"""From arrays under anybody's names to the convolutions of one VGG, checked, in float32.

Names that are recognised: `convB_I.weight` (ours, and Gatys'), `convB_I_W` (vgg16_weights.npz),
`features.N.weight` (torchvision and its kin; N counts the modules), Keras' `blockB_convI` in its old and
new spellings, and Keras 3's `conv2d_N/vars/0`. Kernels laid out HWIO are turned into OIHW. A network may
stop at any depth, but from the input to there no convolution may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from gramarye.errors import WeightsError, unknown_name
from gramarye.layers import CONVOLUTIONS_PER_BLOCK, convolutions, table
from gramarye.weights import scales
from gramarye.weights.formats import Arrays, digest, open_arrays
from gramarye.weights.recognition import MODULE_KEY, input_convention, origin
from gramarye.weights.sources import InputConvention, convention_named

PARTS = {"weight": "weight", "kernel": "weight", "W": "weight", "0": "weight"}  # all others are biases
NAMED_KEY = re.compile(r"(?:.*[./])?conv(\d)_(\d)[._/](weight|bias|kernel|W|b)(?:_\d+)?(?::0)?")
KERAS_KEY = re.compile(r"(?:.*[./])?block(\d)_conv(\d)[._/](?:vars/)?(weight|bias|kernel|W|b|0|1)(?:_\d+)?(?::0)?")
COUNTED_KEY = re.compile(r"(?:.*/)?conv2d(?:_(\d+))?/vars/(0|1)")
CALIBRATION_KEY = re.compile(r"calibration\.(\w+)")
KEYS = (MODULE_KEY, NAMED_KEY, KERAS_KEY, COUNTED_KEY)


@dataclass(frozen=True)
class Weights:
    """One network's convolutions, ready for use.

    `tensors` holds `convB_I.weight` (OIHW) and `convB_I.bias`, float32. `calibration` holds, for the taps of
    a distilled network, the (C', C') matrix by layer name; `scales`, if the file has them, the size of the
    activations by ReLU layer (see `scales`). `sha256` is that of the file that was read,
    `source` the name of a `Source`, or "file", and `evidence` says how the convention is known.
    """

    network: str
    tensors: dict[str, Tensor]
    convention: InputConvention
    sha256: str
    path: Path
    source: str = "file"
    calibration: dict[str, Tensor] = field(default_factory=dict)
    evidence: str = ""
    scales: dict[str, float] = field(default_factory=dict)

    @property
    def depth(self) -> str:
        """The deepest convolution, such as conv5_4."""
        return convolutions(self.network)[len(self.tensors) // 2 - 1]

    def __str__(self) -> str:
        origin_ = f"{self.source}, sha256 {self.sha256[:12]}"
        return f"{self.network} to {self.depth} ({origin_})"


def read(file: Path | str, network: str | None = None, convention: InputConvention | str | None = None) -> Weights:
    """The weights in a file of any known format, checked.

    `network` and `convention` (or its name) are found out when not given: the network from the shapes, the
    convention from the file's metadata, else from the first kernel of the published networks, else from the
    size of the first kernels, else from the layout. Raises WeightsError for everything that is not a VGG.
    """
    path = Path(file).expanduser()
    arrays = open_arrays(path, _is_known)
    if network in (None, "auto"):
        said = arrays.metadata.get("network")  # by ours, of which a shallow one could be of either
        candidates = (said,) if said in CONVOLUTIONS_PER_BLOCK else tuple(CONVOLUTIONS_PER_BLOCK)
    elif network in CONVOLUTIONS_PER_BLOCK:
        candidates = (str(network),)
    else:
        raise WeightsError(*unknown_name("network", str(network), ("auto", *CONVOLUTIONS_PER_BLOCK)))
    given = convention_named(convention) if isinstance(convention, str) else convention
    named, chosen = _fit(arrays, candidates, path)
    checked = {key: _checked(key, tensor, path) for key, tensor in named.items()}
    kernel, sha256 = checked["conv1_1.weight"], digest(path)
    if given is None:
        given, evidence = input_convention(chosen, kernel, arrays.metadata, tuple(arrays.tensors))
    else:
        evidence = "as given"
    return Weights(
        network=chosen,
        tensors=checked,
        convention=given,
        sha256=sha256,
        path=path,
        source=origin(arrays.metadata, sha256),
        calibration=_calibration(arrays, chosen, path),
        evidence=evidence,
        scales=scales.from_json(arrays.metadata[scales.KEY]) if scales.KEY in arrays.metadata else {},
    )


def convert(weights: Weights, convention: InputConvention) -> Weights:
    """The same function of the picture under another input convention, by re-expressing conv1_1.

    With x the old input and y the new one, x = a·y + b per colour, so W' = a·W and bias' = bias + Σ W·b.
    Exact, save where zero padding is seen: a padded zero stands for the mean colour, so the outermost pixels
    differ when the two conventions' mean colours (mean / scale) do.
    """
    old, new = weights.convention, convention
    kernel, bias = (weights.tensors[f"conv1_1.{part}"].double() for part in ("weight", "bias"))
    scale, mean, std = _in_rgb(old)
    new_scale, new_mean, new_std = _in_rgb(new)
    factor = scale / new_scale * new_std / std
    shift = (scale / new_scale * new_mean - mean) / std
    kernel = kernel if old.order == "RGB" else kernel.flip(1)
    bias = bias + torch.einsum("oihw,i->o", kernel, shift)
    kernel = kernel * factor.view(1, 3, 1, 1)
    kernel = kernel if new.order == "RGB" else kernel.flip(1)
    first = {"conv1_1.weight": kernel.float().contiguous(), "conv1_1.bias": bias.float()}
    return replace(weights, tensors={**weights.tensors, **first}, convention=new, evidence="converted")


def _in_rgb(convention: InputConvention) -> tuple[float, Tensor, Tensor]:
    """Scale, mean and standard deviation with the channels in RGB order, in float64."""
    mean = torch.tensor(convention.mean, dtype=torch.float64)
    std = torch.tensor(convention.std, dtype=torch.float64)
    if convention.order == "BGR":
        mean, std = mean.flip(0), std.flip(0)
    return convention.scale, mean, std


def _is_known(key: str) -> bool:
    return any(pattern.fullmatch(key) for pattern in (*KEYS, CALIBRATION_KEY))


@cache
def _by_module(network: str) -> dict[int, str]:
    """torchvision's numbering: convolution, ReLU, …, pool are modules 0, 1, … of `features`."""
    return {number: name for number, name in enumerate(list(table(network))[1:]) if name.startswith("conv")}


def _names(keys: Mapping[str, Tensor], network: str) -> Iterator[tuple[str, str]]:
    """Pairs of a file's key and our name for it; a convolution that `network` lacks keeps its own number."""
    modules, order = _by_module(network), convolutions(network)
    for key in keys:
        if match := MODULE_KEY.fullmatch(key):
            name = modules.get(int(match[1]), f"features.{match[1]}")
        elif match := NAMED_KEY.fullmatch(key) or KERAS_KEY.fullmatch(key):
            name = f"conv{match[1]}_{match[2]}"
        elif match := COUNTED_KEY.fullmatch(key):
            number = int(match[1] or 0)
            name = order[number] if number < len(order) else f"conv2d_{number}"
        else:
            continue
        yield key, f"{name}.{PARTS.get(match[match.lastindex or 0], 'bias')}"


def _fit(arrays: Arrays, candidates: tuple[str, ...], path: Path) -> tuple[dict[str, Tensor], str]:
    """The arrays under our names, and the first candidate that they are.

    When none fits, raises the error of the candidate that came furthest.
    """
    furthest: tuple[int, WeightsError] | None = None
    for network in candidates:
        fitting, error = _attempt(arrays, network, path)
        if error is None:
            return fitting, network
        if furthest is None or len(fitting) > furthest[0]:
            furthest = len(fitting), error
    assert furthest is not None
    raise furthest[1]


def _attempt(arrays: Arrays, network: str, path: Path) -> tuple[dict[str, Tensor], WeightsError | None]:
    """What of a file fits `network`, in order from the input, and the first thing that does not."""
    named: dict[str, Tensor] = {}
    for key, name in _names(arrays.tensors, network):
        if name in named:
            return {}, WeightsError("each convolution is in the file once", f"two arrays for {name} in {path}")
        named[name] = arrays.tensors[key]
    if not named:
        first = ", ".join(arrays.keys[:3]) or "nothing"
        received = f"{path} with {len(arrays.keys)} arrays ({first}, …)"
        return {}, WeightsError("weights hold VGG's convolutions, conv1_1 onwards", received)
    fitting: dict[str, Tensor] = {}
    for convolution in convolutions(network):
        if not named:
            break
        for part in ("weight", "bias"):
            name, shape = f"{convolution}.{part}", _shape(network, convolution, part)
            if name not in named:
                rest = ", ".join(sorted(named)[:3])
                received = f"{path} without {name} but with {rest}"
                return fitting, WeightsError(f"{network} has no gaps from the input on", received)
            tensor = _oihw(named.pop(name))
            if tuple(tensor.shape) != shape:
                expected, got = ("×".join(map(str, each)) for each in (shape, tensor.shape))
                return fitting, WeightsError(
                    f"{name} of {network} is {expected}",
                    f"{got or 'a scalar'} in {path}",
                    "choose another --network or file",
                )
            fitting[name] = tensor
    if named:
        received = f"{', '.join(sorted(named)[:3])} in {path}"
        return fitting, WeightsError(f"{network} ends at {convolutions(network)[-1]}", received)
    return fitting, None


def _shape(network: str, convolution: str, part: str) -> tuple[int, ...]:
    """The shape of one parameter: (O, I, 3, 3) or (O,)."""
    order = convolutions(network)
    position, layers = order.index(convolution), table(network)
    width = layers[convolution].width
    inputs = layers[order[position - 1]].width if position else 3
    return (width, inputs, 3, 3) if part == "weight" else (width,)


def _oihw(tensor: Tensor) -> Tensor:
    """A kernel with output channels first; HWIO is told by its leading 3×3 (no VGG has 3 outputs)."""
    return tensor.permute(3, 2, 0, 1) if tensor.ndim == 4 and tuple(tensor.shape[:2]) == (3, 3) else tensor


def _checked(name: str, tensor: Tensor, path: Path) -> Tensor:
    """A float32 copy; raises WeightsError for other than finite floating-point values."""
    if tensor.layout != torch.strided or not tensor.is_floating_point() or tensor.device.type != "cpu":
        raise WeightsError("weights are dense floating-point arrays", f"{name} as {tensor.dtype} in {path}")
    copied = torch.empty(tensor.shape, dtype=torch.float32)
    copied.copy_(tensor.detach())
    if not bool(copied.isfinite().all()):
        received = f"NaN, an infinity or a value beyond float32 in {name} of {path}"
        raise WeightsError("weights are finite", received, "fetch or copy the file again")
    return copied


def _calibration(arrays: Arrays, network: str, path: Path) -> dict[str, Tensor]:
    """The calibration matrices of a distilled network, by layer name."""
    matrices = {}
    for key, tensor in arrays.tensors.items():
        if match := CALIBRATION_KEY.fullmatch(key):
            layer = table(network).get(match[1])
            if layer is None:
                raise WeightsError(*unknown_name(f"calibrated layer in {path}", match[1], table(network)))
            if tuple(tensor.shape) != (layer.width, layer.width):
                received = f"{'×'.join(map(str, tensor.shape))} in {path}"
                raise WeightsError(f"{key} is {layer.width}×{layer.width}", received)
            matrices[match[1]] = _checked(key, tensor, path)
    return matrices
