"""The records of published weights."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gramarye.weights
from gramarye.errors import WeightsError
from gramarye.layers import CONVOLUTIONS_PER_BLOCK
from gramarye.weights import (
    CONVENTIONS,
    OXFORD,
    OXFORD_RGB,
    SOURCES,
    InputConvention,
    convention_named,
    source,
)


@pytest.mark.parametrize("record", SOURCES.values(), ids=lambda record: record.name)
def test_records_are_complete(record):
    assert SOURCES[record.name] is record
    assert record.network in CONVOLUTIONS_PER_BLOCK
    assert re.fullmatch(r"[0-9a-f]{8}|[0-9a-f]{64}", record.sha256)
    assert record.only_prefix == (len(record.sha256) == 8)
    assert all(url.startswith("https://") and url.endswith(record.filename) for url in record.urls)
    assert record.licence
    assert "Simonyan" in record.citation
    # torch.hub's own check: the file name carries the first digits of the hash
    assert record.filename.split("-")[1].removesuffix(".pth") == record.sha256[:8]


def test_a_hash_matches_by_its_published_digits():
    record = SOURCES["vgg19-oxford"]
    assert record.matches("d01eb7cb" + "0" * 56)
    assert not record.matches("d01eb7cc" + "0" * 56)


def test_a_mirror_replaces_all_addresses(monkeypatch):
    monkeypatch.setenv("GRAMARYE_MIRROR", "http://mirror.test/vgg/")
    assert SOURCES["vgg19-oxford"].addresses() == ("http://mirror.test/vgg/vgg19-d01eb7cb.pth",)


def test_unknown_names_get_the_nearest():
    with pytest.raises(WeightsError, match="vgg19-torchvision"):
        source("vgg19-torchvison")
    with pytest.raises(WeightsError, match="oxford"):
        convention_named("oxfrd")


def test_oxford_reversed_is_oxford_with_its_channels_reversed():
    assert OXFORD_RGB.mean == OXFORD.mean[::-1]


finite = st.floats(-1e6, 1e6)
positive = st.floats(1e-3, 1e6)


@given(
    st.sampled_from(["RGB", "BGR"]), positive, st.tuples(finite, finite, finite),
    st.tuples(positive, positive, positive),
)  # fmt: skip
def test_conventions_round_trip_through_json(order, scale, mean, std):
    convention = InputConvention(order, scale, mean, std)
    assert InputConvention.from_json(convention.to_json()) == convention


@pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=list(CONVENTIONS))
def test_named_conventions_round_trip(convention):
    assert InputConvention.from_json(convention.to_json()) == convention


@given(st.one_of(st.text(), st.recursive(st.none() | st.integers(), st.lists).map(str)))
def test_other_json_is_refused_in_one_line(text):
    with pytest.raises(WeightsError) as caught:
        InputConvention.from_json(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("order", "scale", "mean", "std"),
    [
        ("GBR", 1.0, (0, 0, 0), (1, 1, 1)),
        ("RGB", 0.0, (0, 0, 0), (1, 1, 1)),
        ("RGB", 1.0, (0, 0, float("nan")), (1, 1, 1)),
        ("RGB", 1.0, (0, 0, 0), (1, 0, 1)),
    ],
)
def test_impossible_conventions_are_refused(order, scale, mean, std):
    with pytest.raises(WeightsError):
        InputConvention(order, scale, mean, std)


def test_looking_at_the_sources_imports_no_torch():
    code = "import sys; from gramarye.weights import SOURCES; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_public_names_are_all_there():
    assert all(hasattr(gramarye.weights, name) for name in gramarye.weights.__all__)
    assert callable(gramarye.weights.fetch)
    assert dir(gramarye.weights) == sorted(gramarye.weights.__all__)
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = gramarye.weights.nothing_such
