"""From pixels to activations: VGG-16, VGG-19 and the embedded quarter-width VGG-19.

Simonyan and Zisserman 2014, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
without the fully connected layers. Poolings and paddings are those that style transfer papers vary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from gramarye import layers as layer_table
from gramarye.errors import ImageError, SettingsError, unknown_name
from gramarye.weights import InputConvention, Weights, unit_factors

POOLINGS = ("max", "avg", "l2")
PADDINGS = ("zeros", "replicate", "reflect", "replicate-first")
# Factors that keep the size of activations when max pooling is replaced: Crowson, style-transfer-pytorch.
RESCALE = {"max": 1.0, "avg": 2.0, "l2": 0.78}

Image = Float[Tensor, "batch 3 height width"]
Activation = Float[Tensor, "batch channels rows columns"]
Calibration = Float[Tensor, "channels channels"]


def pool(
    activation: Activation, pooling: str, *, rescale: bool = False
) -> Float[Tensor, "batch channels fewer_rows fewer_columns"]:
    """Pool 2×2 with stride 2: `max`; `avg`; or `l2`, the root of the sum of squares.

    `rescale` multiplies by the factor that keeps the size of VGG's activations (avg 2, l2 0.78);
    Gatys et al. 2015 average without it.
    """
    if pooling == "max":
        pooled = F.max_pool2d(activation, 2)
    elif pooling == "avg":
        pooled = _means(activation)
    else:
        pooled = _means(activation.square()).mul(4).clamp_min(1e-12).sqrt()
    return pooled * RESCALE[pooling] if rescale and pooling != "max" else pooled


def _means(activation: Tensor) -> Tensor:
    """Of 2×2 positions each; an odd last row or column is left out."""
    means: Tensor = _Means.apply(activation)  # type: ignore[no-untyped-call]
    return means


class _Means(torch.autograd.Function):
    """Torch adds gradients up; here each position is in one mean at most, and gets its quarter: a fifth of the time."""

    @staticmethod
    def forward(ctx: Any, activation: Tensor) -> Tensor:
        ctx.shape = activation.shape
        return F.avg_pool2d(activation, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        spread = F.interpolate(gradients[0] / 4, scale_factor=2, mode="nearest")
        rows, columns = (side % 2 for side in ctx.shape[2:])  # beyond the last mean
        return F.pad(spread, (0, columns, 0, rows)) if rows or columns else spread


def convolve(
    activation: Activation, weight: Tensor, bias: Tensor, padding: str
) -> Float[Tensor, "batch filters rows columns"]:
    """A 3×3 convolution, stride 1, that keeps the size; `padding` is zeros, replicate or reflect.

    On a map of a single position it is written as the 1×1 convolution that it then is: with a 3×3 kernel the
    last bits of oneDNN's float32 gradient would depend on where its memory happens to lie, and the same seed
    would not paint the same pixels.
    """
    if activation.shape[-2:] == (1, 1) and padding != "reflect":
        kernel = weight[:, :, 1:2, 1:2] if padding == "zeros" else weight.sum((2, 3), keepdim=True)
        return F.conv2d(activation, kernel, bias)
    if padding == "zeros":
        return F.conv2d(activation, weight, bias, padding=1)
    return F.conv2d(F.pad(activation, (1, 1, 1, 1), mode=padding), weight, bias)


def fold_input_convention(weight: Tensor, convention: InputConvention) -> tuple[Tensor, Tensor]:
    """The kernel of conv1_1 for centred RGB, and the mean (1 3 1 1) to subtract from sRGB in [0, 1].

    The network's input is (scale·x − mean)/std in the convention's channel order. Scale, deviation and
    order are linear and go into the kernel; the mean is subtracted, so that zero padding stays zero.
    """
    std = weight.new_tensor(convention.std).view(1, 3, 1, 1)
    mean = weight.new_tensor(convention.mean).view(1, 3, 1, 1) / convention.scale
    folded = weight * (convention.scale / std)
    if convention.order == "BGR":
        folded, mean = folded.flip(1), mean.flip(1)
    return folded, mean


def scale_activations(tensors: Mapping[str, Tensor], factors: Mapping[str, float]) -> dict[str, Tensor]:
    """The same network with the activations of each convolution, and its ReLU, times its factor.

    W_l' = W_l·f_l/f_(l−1) and b_l' = b_l·f_l: exact, because ReLU, pooling and padding are positively
    homogeneous. `tensors` hold convB_I.weight and convB_I.bias from the input on; a factor that is not given is 1.
    """
    scaled, before = dict(tensors), 1.0
    for name in sorted(key.removesuffix(".weight") for key in tensors if key.endswith(".weight")):
        factor = factors.get(name, 1.0)
        scaled[f"{name}.weight"] = tensors[f"{name}.weight"] * (factor / before)
        scaled[f"{name}.bias"] = tensors[f"{name}.bias"] * factor
        before = factor
    return scaled


class Activations(Mapping[str, Tensor]):
    """Activations by the names that they were asked for; those of a calibrated layer are calibrated when looked up.

    Calibrated they are C·F at every position. `apart` has F and C: whoever needs a statistic that follows from that
    of F is spared a product over all positions, there and back.
    """

    def __init__(self, found: Mapping[str, Activation], calibrations: Mapping[str, Calibration]) -> None:
        self._found, self._calibrations = dict(found), calibrations
        self._calibrated: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Activation:
        """The activation of a layer, batch channels rows columns."""
        if name not in self._calibrations:
            return self._found[name]
        if name not in self._calibrated:  # as channels-last lies in memory: no 1×1 convolution, which is slower
            positions = self._found[name].permute(0, 2, 3, 1)
            self._calibrated[name] = F.linear(positions, self._calibrations[name]).permute(0, 3, 1, 2)
        return self._calibrated[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def apart(self, name: str) -> tuple[Activation, Calibration | None]:
        """The activation as the network computes it, and the matrix that calibrates it, if any."""
        return self._found[name], self._calibrations.get(name)


class VGG(nn.Module):
    """A frozen VGG: sRGB images in [0, 1] to the activations of named layers.

    Only the layers up to the deepest one asked for are computed. `width(layer)` is the number of
    channels that the layer has in the published network: the N of the papers' formulas, also for the
    embedded network, whose activations have a quarter of the channels but (calibrated) the same distances.
    `units` says whose activations' size they come in: see `weights.units`.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        pooling: str = "max",
        padding: str = "zeros",
        rescale: bool = False,
        units: str = "own",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise SettingsError(*unknown_name("pooling", pooling, POOLINGS))
        if padding not in PADDINGS:
            raise SettingsError(*unknown_name("padding", padding, PADDINGS))
        self.network, self.units, self.dtype = weights.network, units, dtype
        self.pooling, self.padding, self.rescale = pooling, padding, rescale
        self.table = layer_table.table(weights.network)
        self._load(weights)

    def _load(self, weights: Weights) -> None:
        tensors: dict[str, Tensor] = dict(weights.tensors)
        if self.units != "own":
            tensors = scale_activations(tensors, unit_factors(weights, self.units))
        first = tensors["conv1_1.weight"]
        tensors["conv1_1.weight"], mean = fold_input_convention(first, weights.convention)
        self.register_buffer("mean", mean)
        for name, tensor in tensors.items():
            frozen = tensor.detach().to(self.dtype)
            if frozen.dim() == 4:
                frozen = frozen.contiguous(memory_format=torch.channels_last)
            self.register_buffer(name.replace(".", "_"), frozen)
        self.calibrated = frozenset(weights.calibration)
        for name, matrix in weights.calibration.items():
            self.register_buffer(f"{name}_calibration", matrix.detach().to(self.dtype))

    def width(self, layer: str) -> int:
        """The number of channels of `layer` in the published network."""
        return self.table[layer].channels

    def resolve(self, names: Iterable[str]) -> tuple[str, ...]:
        """Canonical layer names in the order given; raises SettingsError for an unknown one."""
        return tuple(layer_table.resolve(name, self.network) for name in names)

    def forward(self, image: Image, layers: Iterable[str]) -> Activations:
        """Activations of the named `layers` (names or aliases) of `image`, 1 3 H W, sRGB in [0, 1].

        They are tensors `batch channels rows columns` in the network's precision, by the names as given. Raises
        SettingsError for an unknown layer or one beyond the weights, ImageError if the image is smaller than one
        position of the deepest layer.
        """
        wanted = {name: layer_table.resolve(name, self.network) for name in layers}
        deepest = layer_table.deepest(tuple(wanted.values()), self.network)
        self._check_depth(deepest)
        self._check_size(image, deepest)
        found = self._run(image, set(wanted.values()), deepest)
        calibrations = {
            name: self.get_buffer(f"{layer}_calibration") for name, layer in wanted.items() if layer in self.calibrated
        }
        return Activations({name: found[layer] for name, layer in wanted.items()}, calibrations)

    def _check_depth(self, deepest: str) -> None:
        names = list(self.table)[: list(self.table).index(deepest) + 1]
        there = [name for name in self.table if f"{name}_weight" in self._buffers]
        if any(self.table[name].kind == "conv" and name not in there for name in names):
            received = f"weights of {self.network} that end at {there[-1]}"
            remedy = "name shallower layers, or other weights"
            raise SettingsError(f"{deepest} needs weights that reach it", received, remedy)

    def _check_size(self, image: Image, deepest: str) -> None:
        stride = self.table[deepest].stride
        if any(side < stride for side in image.shape[-2:]):
            rule = f"{deepest} needs a picture of at least {stride} px on each side"
            size = f"{image.shape[-1]}×{image.shape[-2]}"
            raise ImageError(rule, size, "use a larger size or a shallower layer")

    def _run(self, image: Image, wanted: set[str], deepest: str) -> dict[str, Tensor]:
        buffers: Mapping[str, Tensor] = dict(self.named_buffers(recurse=False))
        found: dict[str, Tensor] = {"pixels": image}
        activation = (image - buffers["mean"]).to(self.dtype, memory_format=torch.channels_last)
        for name, layer in self.table.items():
            if layer.kind == "conv":
                padding = self.padding
                if padding == "replicate-first":
                    padding = "replicate" if name == "conv1_1" else "zeros"
                weight, bias = buffers[f"{name}_weight"], buffers[f"{name}_bias"]
                activation = convolve(activation, weight, bias, padding)
            elif layer.kind == "relu":
                keep_conv = name.replace("relu", "conv") in wanted
                activation = F.relu(activation, inplace=not keep_conv)
            elif layer.kind == "pool":
                activation = pool(activation, self.pooling, rescale=self.rescale)
            if name in wanted and name != "pixels":
                found[name] = activation
            if name == deepest:
                break
        return found
