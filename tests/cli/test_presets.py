"""gramarye presets: the list, one in full, and for machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from gramarye.presets import PRESETS
from gramarye.settings import KNOBS, Settings

from .command import Gramarye, refused


def test_the_list_has_every_preset(gramarye: Gramarye) -> None:
    outcome = gramarye.ok("presets")
    for name, found in PRESETS.items():
        assert name in outcome.out
        assert str(found.settings.steps) in outcome.out
    assert outcome.err == ""


def test_json_has_the_keys_of_the_contract(gramarye: Gramarye) -> None:
    answer = gramarye.ok("presets", "--json").answer
    assert set(answer) == {"presets"}
    assert set(answer["presets"]) == set(PRESETS)
    for name, plain in answer["presets"].items():
        assert set(plain) == {"settings", "source", "units", "departures", "translated"}
        assert Settings.from_dict(plain["settings"]) == PRESETS[name].settings
        assert plain["source"]
        assert plain["units"] == PRESETS[name].units
        assert isinstance(plain["departures"], list)


def test_json_has_the_weights_on_the_network_that_would_be_used(gramarye: Gramarye) -> None:
    plain = gramarye.ok("presets", "pytorch-tutorial", "--json").answer["presets"]["pytorch-tutorial"]
    assert plain["translated"]["network"] == "vgg19-lite"
    terms = {term["name"]: term for term in plain["translated"]["terms"]}
    assert len(terms) == 6
    style, content = terms["style conv_1"], terms["content conv_4"]
    assert (style["power"], content["power"]) == (4, 2)
    assert style["own"] == pytest.approx(style["weight"] * style["factor"] ** 4)
    assert content["own"] == pytest.approx(content["factor"] ** 2)


def test_units_departures_and_changed_knobs_stand_out(gramarye: Gramarye) -> None:
    shown = " ".join(gramarye.ok("presets", "pytorch-tutorial").out.split())
    assert "units torchvision" in shown
    assert "• optimizer.clamp True" in shown
    assert "• seed" not in shown
    assert shown.index("differs:") < shown.index("style conv_1") < shown.index("• optimizer.clamp")


@pytest.mark.parametrize("name", PRESETS)
def test_one_preset_with_every_knob(name: str, gramarye: Gramarye) -> None:
    shown = gramarye.ok("presets", name).out
    for knob in KNOBS:
        assert knob in shown
    assert PRESETS[name].source.split(",")[0] in shown
    if PRESETS[name].departures:
        assert "differs:" in shown
    assert set(gramarye.ok("presets", name, "--json").answer["presets"]) == {name}


@pytest.mark.parametrize("name", ["defalt", "gatys", "", "../default"])
def test_unknown_preset(name: str, gramarye: Gramarye) -> None:
    if name:
        refused(gramarye("presets", name), about="preset")
        refused(gramarye("presets", name, "--json"), about="preset")
    else:
        refused(gramarye("presets", name), about="preset")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_paints(name: str, place: Path, gramarye: Gramarye) -> None:
    answer = gramarye.ok(
        "transfer",
        "content.png",
        "style.png",
        "-o",
        "out.png",
        "--preset",
        name,
        "--size",
        "48",
        "--steps",
        "2",
        "--json",
    ).answer
    assert answer["preset"] == name
