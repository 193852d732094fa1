"""What the page is offered is what the settings have, and needs no torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gramarye import presets
from gramarye.errors import SettingsError
from gramarye.presets import preset
from gramarye.schedule import schedule
from gramarye.settings import KNOBS
from gramarye.studio import offers
from gramarye.studio.faders import faders_of, weighed, weights_from


def test_knobs_lie_within_what_the_settings_allow() -> None:
    infos = offers.knob_infos()
    assert [info["name"] for info in infos] == list(offers.KNOB_OFFERS)
    for info in infos:
        knob = KNOBS[info["name"]]
        assert info["live"] == knob.live
        assert info["title"]
        assert info["help"].endswith(".")
        assert set(info["choices"]) <= set(knob.choices)
        if info["low"] is None:
            continue
        presets.DEFAULT.with_(**weighed(presets.DEFAULT, {info["name"]: info["value"]}))
        for end in (info["low"], info["high"]):
            value = [end] * 5 if info["name"] == "style.layer_weights" else end
            presets.DEFAULT.with_(**weighed(presets.DEFAULT, {info["name"]: value}))
        assert not info["log"] or info["low"] > 0
        values = info["value"] if isinstance(info["value"], list) else [info["value"]]
        assert all(info["low"] <= value <= info["high"] for value in values)


@pytest.mark.parametrize("name", offers.PRESETS)
def test_the_effort_is_that_of_the_schedule(name: str) -> None:
    settings = preset(name)
    size = (round(settings.size * 0.75), settings.size)
    scales = schedule(size, settings.steps, settings.scales)
    exact = sum(scale.size[0] * scale.size[1] * scale.evaluations for scale in scales) / 1e6
    assert offers.effort(settings) == pytest.approx(exact, rel=0.02)


def test_presets_tell_their_time_when_it_is_known() -> None:
    assert {info["name"]: info["seconds"] for info in offers.preset_infos()} == dict.fromkeys(offers.PRESETS)
    draft, default, large = (info["seconds"] for info in offers.preset_infos(1.0))
    assert draft < default < large
    assert draft == round(offers.effort(preset("draft")), 1)


def test_layers_from_the_input_on() -> None:
    infos = offers.layer_infos("vgg19-lite")
    assert (infos[0]["name"], infos[-1]["name"]) == ("relu1_1", "relu5_1")
    assert [info["field"] for info in infos] == sorted(info["field"] for info in infos)
    assert {info["name"] for info in infos if info["style"]} == set(presets.DEFAULT.style.layers)
    assert {info["name"] for info in infos if info["content"]} == set(presets.DEFAULT.content.layers)
    assert (infos[-1]["block"], infos[-1]["channels"], infos[-1]["stride"]) == (5, 128, 16)
    assert offers.layer_infos("vgg19")[-1]["name"] == "relu5_4"


def test_faders_are_factors_on_an_even_share() -> None:
    default = presets.DEFAULT  # 1_1, 1_2, 2_1, 2_2, 3_1, 4_1, 5_1
    assert faders_of(default) == [1.0] * 5
    assert weights_from([1] * 5, default.style.layers) == (), "as the preset has it"
    factors = [2, 1, 0, 0.5, 1]
    changed = default.with_(**weighed(default, {"style.layer_weights": factors}))
    assert changed.style.layer_weights == tuple(factor / 7 for factor in (2, 2, 1, 1, 0, 0.5, 1))
    assert faders_of(changed) == factors
    one_a_layer = weighed(default, {"style.layer_weights": [1, 3, 1, 1, 1, 1, 1]})
    assert faders_of(default.with_(**one_a_layer)) == [2, 1, 1, 1, 1]
    with pytest.raises(SettingsError, match="one factor for each of the 5 blocks"):
        weighed(default, {"style.layer_weights": [1, 2]})
    other = {"style.layers": ["relu1_1", "pixels"], "style.layer_weights": [3, 0, 0, 0, 0]}
    assert weighed(default, other)["style.layer_weights"] == (1.5, 1.5)


@pytest.mark.parametrize(
    "module", ["runs", "run_routes", "worker", "run_sitting", "preparing", "offers", "orders", "commands"]
)
def test_no_torch_until_it_is_used(module: str) -> None:
    code = f"import gramarye.studio.{module}, sys; assert not {{'torch', 'PIL'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
