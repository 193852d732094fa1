"""What a file of weights does not say: which published network it is, and what input it was trained on."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from gramarye.weights.sources import (
    LITE,
    OXFORD,
    OXFORD_RGB,
    SOURCES,
    TORCHVISION,
    InputConvention,
    Source,
)

MODULE_KEY = re.compile(r"(?:.*\.)?features\.(\d+)\.(weight|bias)")

# Root mean square of conv1_1's kernels. Trained first kernels come out alike whatever the input's scale
# (0.19 in Oxford's VGG-19, whose inputs reach ±150; those of torchvision's, whose inputs reach ±2.6, are
# printed between −0.84 and 0.77), so size alone cannot tell the published files apart. It does tell kernels
# that were re-expressed for the other scale, 57 times larger or smaller: the bounds are half-way, as ratios.
REEXPRESSED_LARGE = 1.5
REEXPRESSED_SMALL = 0.025
FIRST_KERNEL_TOLERANCE = 5e-4  # float16 and four printed decimals


def input_convention(
    network: str, kernel: Tensor, metadata: Mapping[str, str], keys: tuple[str, ...]
) -> tuple[InputConvention, str]:
    """The input convention of a file, and how it is known: from its metadata, else from its first kernels.

    `kernel` is conv1_1.weight, `keys` are the file's own names. Raises WeightsError for damaged metadata.
    """
    if "convention" in metadata:
        return InputConvention.from_json(metadata["convention"]), "the file's metadata"
    if network.endswith("-lite"):
        return LITE, "the only one of this network"
    return _by_kernel(network, kernel) or _by_size(kernel) or _by_layout(keys)


def origin(metadata: Mapping[str, str], sha256: str) -> str:
    """The name of the published file that weights are or were made from, or "file"."""
    if "source" in metadata:
        return metadata["source"]
    return next((record.name for record in SOURCES.values() if record.matches(sha256)), "file")


def published(network: str, kernel: Tensor) -> tuple[Source, bool] | None:
    """The published network that has this first kernel, and whether its channels are reversed here; or None."""
    here = kernel[0, :, 0, 0].float()
    for record in SOURCES.values():
        if record.network != network:
            continue
        there = torch.tensor(record.first_kernel)
        if torch.allclose(here, there, rtol=0, atol=FIRST_KERNEL_TOLERANCE):
            return record, False
        if record.convention == OXFORD and torch.allclose(here, there.flip(0), rtol=0, atol=FIRST_KERNEL_TOLERANCE):
            return record, True
    return None


def _by_kernel(network: str, kernel: Tensor) -> tuple[InputConvention, str] | None:
    """The convention of the published network that has this first kernel, channels reversed or not."""
    found = published(network, kernel)
    if found is None:
        return None
    record, is_reversed = found
    evidence = f"the first kernel is that of {record.name}"
    return (OXFORD_RGB, f"{evidence}, channels reversed") if is_reversed else (record.convention, evidence)


def _by_size(kernel: Tensor) -> tuple[InputConvention, str] | None:
    """The convention that kernels of this size were re-expressed for, when it is far from the usual size."""
    size = float(kernel.square().mean().sqrt())
    if size > REEXPRESSED_LARGE:
        return TORCHVISION, f"first kernels of size {size:.3g} are for standardised input"
    if size < REEXPRESSED_SMALL:
        return OXFORD, f"first kernels of size {size:.3g} are for input to 255"
    return None


def _by_layout(keys: tuple[str, ...]) -> tuple[InputConvention, str]:
    """The convention that usually goes with the names of the arrays."""
    if any(MODULE_KEY.fullmatch(key) for key in keys):
        return TORCHVISION, "the usual one with names like features.0.weight"
    return OXFORD, "the usual one with names like conv1_1 or block1_conv1"
