"""The values that a comparison takes."""

from __future__ import annotations

import pytest

from gramarye import comparison
from gramarye.errors import SettingsError
from gramarye.settings import KNOBS, Settings


def test_all_choices_or_those_that_are_named() -> None:
    assert comparison.axis("color").values == KNOBS["color"].choices
    assert comparison.axis("style.weight=10,30, 1e2").values == (10.0, 30.0, 100.0)
    assert comparison.axis(" init = black,noise,black").values == ("black", "noise")
    assert comparison.axis("optimizer.clamp=yes,no").values == (True, False)


def test_lists_are_separated_by_slashes() -> None:
    assert comparison.axis("scales.shares=1,1,1/5,3,2").values == ((1, 1, 1), (5, 3, 2))
    assert comparison.axis("style.layers=relu1_1/relu2_1,relu3_1").values == (("relu1_1",), ("relu2_1", "relu3_1"))


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("colour", "Did you mean 'color'"),
        ("style.weight", "needs values"),
        ("style.weight=", "style.weight"),
        ("style.weight=1,-1", "0 …"),
        ("style.weight=1,,2", "''"),
        ("color=blue", "luminance"),
        ("", "unknown knob"),
    ],
)
def test_values_that_cannot_be(text: str, about: str) -> None:
    with pytest.raises(SettingsError, match=about):
        comparison.axis(text)


def test_variants_are_rows_and_columns() -> None:
    axes = [comparison.axis("style.statistic=gram,w2"), comparison.axis("style.weight=10,20,30")]
    found = comparison.variants(Settings(seed=5), axes)
    assert [each.caption for each in found[:4]] == [
        "statistic = gram · style.weight = 10",
        "statistic = gram · style.weight = 20",
        "statistic = gram · style.weight = 30",
        "statistic = w2 · style.weight = 10",
    ]
    assert found[4].settings == Settings(seed=5).with_(**{"style.statistic": "w2", "style.weight": 20})
    assert found[4].name == "style.statistic=w2,style.weight=20"
    assert len({each.name for each in found}) == 6


def test_what_is_too_much() -> None:
    with pytest.raises(SettingsError, match="different knobs"):
        comparison.variants(Settings(), [comparison.axis("color"), comparison.axis("color=style")])
    with pytest.raises(SettingsError, match="at most 400"):
        comparison.variants(Settings(), [comparison.axis("seed=" + ",".join(map(str, range(401))))])


def test_combinations_that_contradict_each_other() -> None:
    with pytest.raises(SettingsError, match="layer"):
        comparison.variants(Settings(), [comparison.axis("content.layer_weights=1/1,2,3,4,5,6")])


def test_a_name_is_that_of_a_file() -> None:
    (one,) = comparison.variants(Settings(), [comparison.axis("style.layer_weights=")])
    assert one.name == "style.layer_weights=default"
    many = comparison.variants(Settings(), [comparison.axis("style.layers=" + "relu1_1," * 60 + "/relu1_1")])
    assert max(len(each.name) for each in many) < 250
