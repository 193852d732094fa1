"""Which input convention and which published file, for weights that do not say."""

from __future__ import annotations

import pytest
import torch

from gramarye.errors import WeightsError
from gramarye.weights import LITE, OXFORD, OXFORD_RGB, SOURCES, TORCHVISION
from gramarye.weights.recognition import input_convention, origin

NAMED, MODULES = ("conv1_1.weight",), ("features.0.weight",)


def kernel(size=0.2, first=None):
    values = torch.randn(64, 3, 3, 3, generator=torch.Generator().manual_seed(0)) * size
    if first is not None:
        values[0, :, 0, 0] = torch.tensor(first)
    return values


@pytest.mark.parametrize("record", SOURCES.values(), ids=lambda record: record.name)
@pytest.mark.parametrize("keys", [NAMED, MODULES])
def test_published_networks_are_known_by_their_first_kernel(record, keys):
    """Also in float16, under whatever names: their kernels are of one size and cannot be told by it."""
    found, evidence = input_convention(record.network, kernel(first=record.first_kernel).half().float(), {}, keys)
    assert found == record.convention
    assert record.name in evidence


def test_oxford_with_reversed_channels_is_known():
    first = SOURCES["vgg16-oxford"].first_kernel[::-1]
    assert input_convention("vgg16", kernel(first=first), {}, NAMED)[0] == OXFORD_RGB


@pytest.mark.parametrize("keys", [NAMED, MODULES])
def test_kernels_far_from_the_usual_size_are_told_by_it(keys):
    assert input_convention("vgg19", kernel(11.0), {}, keys)[0] == TORCHVISION
    assert input_convention("vgg19", kernel(0.004), {}, keys)[0] == OXFORD


def test_else_the_layout_decides():
    assert input_convention("vgg19", kernel(), {}, MODULES)[0] == TORCHVISION
    assert input_convention("vgg19", kernel(), {}, NAMED)[0] == OXFORD
    assert input_convention("vgg19-lite", kernel(), {}, NAMED)[0] == LITE


def test_metadata_comes_first():
    metadata = {"convention": LITE.to_json()}
    assert input_convention("vgg19", kernel(11.0), metadata, MODULES)[0] == LITE
    with pytest.raises(WeightsError):
        input_convention("vgg19", kernel(), {"convention": "{"}, MODULES)


def test_origin_is_told_by_metadata_or_hash():
    assert origin({"source": "somewhere"}, "0" * 64) == "somewhere"
    assert origin({}, SOURCES["vgg19-torchvision"].sha256) == "vgg19-torchvision"
    assert origin({}, "0" * 64) == "file"
