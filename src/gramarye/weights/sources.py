"""Where network weights come from, and what input each network was trained to see.

Hashes and sizes are those that many public projects publish for the same files; where no complete
hash of a file is published, `Source.sha256` is the eight-digit prefix that its name carries (the
check that torch.hub makes), and an unknown size is None.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from typing import Any

from gramarye.errors import WeightsError, unknown_name

MIRROR_VARIABLE = "GRAMARYE_MIRROR"
PREFIX_DIGITS = 8  # torch.hub: FILE-<first eight or more digits of the SHA-256>.pth


@dataclass(frozen=True)
class InputConvention:
    """How sRGB in [0, 1] becomes a network's input: (scale · pixels in `order` − mean) / std.

    `mean` and `std` are given in `order`, after scaling.
    """

    order: str  # "RGB" or "BGR"
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __post_init__(self) -> None:
        numbers = (self.scale, *self.mean, *self.std)
        if self.order not in ("RGB", "BGR"):
            raise WeightsError("a channel order is RGB or BGR", repr(self.order))
        if len(self.mean) != 3 or len(self.std) != 3 or not all(map(math.isfinite, numbers)):
            raise WeightsError("a convention has three finite means and standard deviations", self.to_json())
        if self.scale <= 0 or min(self.std) <= 0:
            raise WeightsError("scale and standard deviations are positive", self.to_json())

    def to_json(self) -> str:
        """The convention as one line of JSON, for the metadata of a safetensors file."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> InputConvention:
        """The convention that `to_json` wrote; raises WeightsError for anything else."""
        try:
            fields: dict[str, Any] = json.loads(text)
            mean, std = (tuple(float(value) for value in fields[key]) for key in ("mean", "std"))
            order, scale = str(fields["order"]), float(fields["scale"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            received = text if len(text) < 200 else f"{text[:200]}…"
            raise WeightsError("a convention is JSON with order, scale, mean and std", received) from None
        return cls(order, scale, mean, std)  # type: ignore[arg-type]  # lengths are checked at run time


TORCHVISION = InputConvention("RGB", 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
OXFORD = InputConvention("BGR", 255.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0))
OXFORD_RGB = InputConvention("RGB", 255.0, (123.68, 116.779, 103.939), (1.0, 1.0, 1.0))
LITE = InputConvention("RGB", 255.0, (123.68, 116.779, 103.939), (64.0, 64.0, 64.0))

CONVENTIONS: dict[str, InputConvention] = {
    "torchvision": TORCHVISION,
    "oxford": OXFORD,
    "oxford-rgb": OXFORD_RGB,  # Oxford's weights with the channels of conv1_1 reversed, as many ports do
    "lite": LITE,
}


@dataclass(frozen=True)
class Source:
    """One published file of weights, with everything needed to fetch, check, use and cite it."""

    name: str
    network: str
    urls: tuple[str, ...]
    sha256: str  # 64 hexadecimal digits, or the prefix that the file name carries
    size: int | None  # bytes
    licence: str
    convention: InputConvention
    citation: str
    first_kernel: tuple[float, float, float]  # conv1_1.weight[0, :, 0, 0], by which a file is recognised

    @property
    def filename(self) -> str:
        """The name under which the file is published."""
        return self.urls[0].rsplit("/", 1)[-1]

    @property
    def only_prefix(self) -> bool:
        """Whether only the first digits of the SHA-256 are published."""
        return len(self.sha256) < 64

    def matches(self, digest: str) -> bool:
        """Whether a file with this SHA-256 is the published one, as far as that can be told."""
        return len(self.sha256) >= PREFIX_DIGITS and digest.startswith(self.sha256)

    def addresses(self) -> tuple[str, ...]:
        """The addresses to try in order; $GRAMARYE_MIRROR, a base address, replaces them all."""
        mirror = os.environ.get(MIRROR_VARIABLE, "").strip()
        return (f"{mirror.rstrip('/')}/{self.filename}",) if mirror else self.urls


_VGG = 'Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014'
_OXFORD_LICENCE = "Creative Commons Attribution (Visual Geometry Group, University of Oxford)"


def _torchvision(network: str, name: str, sha256: str, size: int, kernel: tuple[float, float, float]) -> Source:
    """torchvision's own training of a VGG: IMAGENET1K_V1."""
    return Source(
        name=f"{network}-torchvision",
        network=network,
        urls=(f"https://download.pytorch.org/models/{name}.pth",),
        sha256=sha256,
        size=size,
        licence="BSD-3-Clause (torchvision)",
        convention=TORCHVISION,
        citation=f"{_VGG}; trained by torchvision",
        first_kernel=kernel,
    )


def _oxford(network: str, name: str, kernel: tuple[float, float, float]) -> Source:
    """Oxford's original Caffe weights as github.com/jcjohnson/pytorch-vgg converted them."""
    hosts = (
        "https://web.eecs.umich.edu/~justincj/models",
        "https://s3-us-west-2.amazonaws.com/jcjohns-models",
    )
    return Source(
        name=f"{network}-oxford",
        network=network,
        urls=tuple(f"{host}/{name}.pth" for host in hosts),
        sha256=name.rsplit("-", 1)[-1],
        size=None,
        licence=_OXFORD_LICENCE,
        convention=OXFORD,
        citation=f"{_VGG}; converted from Caffe by Justin Johnson",
        first_kernel=kernel,
    )


SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        _torchvision(
            "vgg19",
            "vgg19-dcbb9e9d",
            "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
            574_673_361,
            (-0.053474, 0.017015, -0.044885),
        ),
        _torchvision(
            "vgg16",
            "vgg16-397923af",
            "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
            553_433_881,
            (-0.5537, 0.1755, 0.3130),
        ),
        _oxford("vgg19", "vgg19-d01eb7cb", (0.3413, 0.4641, 0.3943)),
        _oxford("vgg16", "vgg16-00b39a1b", (0.42947, 0.55038, 0.48002)),
    )
}


def source(name: str) -> Source:
    """The record of that name; raises WeightsError with the nearest known name."""
    if name not in SOURCES:
        raise WeightsError(*unknown_name("source of weights", name, SOURCES))
    return SOURCES[name]


def convention_named(name: str) -> InputConvention:
    """The input convention of that name; raises WeightsError with the nearest known name."""
    if name not in CONVENTIONS:
        raise WeightsError(*unknown_name("input convention", name, CONVENTIONS))
    return CONVENTIONS[name]
