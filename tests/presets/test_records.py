"""The records themselves: what each preset says of itself, and that it can be used."""

from __future__ import annotations

import dataclasses
import itertools
import re
import shlex
from pathlib import Path

import pytest

from gramarye import comparison, snapshots
from gramarye.cli.painting import settings_from
from gramarye.errors import SettingsError
from gramarye.layers import resolve
from gramarye.presets import PRESETS, find, preset
from gramarye.settings import KNOBS, Settings

ROOT = Path(__file__).resolve().parents[2]
OWN = ("default", "draft", "fast", "large")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_described_and_fits_the_embedded_network(name: str) -> None:
    found = PRESETS[name]
    assert found.source
    assert found.units in KNOBS["network.units"].choices
    assert name in OWN or found.departures, "no original is reproduced to the last"
    assert Settings.from_json(found.settings.to_json()) == found.settings
    for layer in (*found.settings.content.layers, *found.settings.style.layers):
        resolve(layer, "vgg19-lite")


def test_own_presets_are_as_they_were() -> None:
    default = preset("default")
    assert (default.size, default.steps, default.style.weight, default.smoothness.chroma) == (512, 120, 30.0, 80.0)
    assert {name for name in KNOBS if preset("draft").get(name) != default.get(name)} == {"size", "steps"}
    changed = {name for name in KNOBS if preset("fast").get(name) != default.get(name)}
    assert changed == {"init", "steps", "scales.count", "scales.shares"}
    changed = {name for name in KNOBS if preset("large").get(name) != default.get(name)}
    assert changed == {"size", "steps", "scales.count", "scales.shares"}


def test_reproductions_name_the_units_of_their_weights() -> None:
    for name, found in PRESETS.items():
        if found.settings.balance == "raw":
            assert found.units != "own", name


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(SettingsError, match="Did you mean 'jcjohnson'"):
        find("jcjonson")
    with pytest.raises(SettingsError, match="joshi-hu-baseline"):
        preset("joshi-hu-basline")


def test_a_preset_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        find("default").source = "mine"  # type: ignore[misc]


def commands() -> list[str]:
    """Every command of docs/papers.md."""
    return re.findall(r"`(gramarye (?:transfer|measure) [^`]+)`", (ROOT / "docs" / "papers.md").read_text())


def given(words: list[str], flag: str) -> list[str]:
    return [value for each, value in itertools.pairwise(words) if each == flag]


@pytest.mark.parametrize("command", commands())
def test_commands_of_the_documentation_are_valid_settings(command: str) -> None:
    words = shlex.split(command)
    named = {"preset": "default"} | {
        name: value for name in ("preset", "network") for value in given(words, f"--{name}")
    }
    numbers = {name: int(value) for name in ("size", "steps") for value in given(words, f"--{name}")}
    settings = settings_from(**named, **numbers, knobs=given(words, "--set"))
    axes = [comparison.axis(each) for each in given(words, "--compare")]
    assert not axes or comparison.variants(settings, axes)
    for wanted in given(words, "--snapshots"):
        assert snapshots.evaluations(wanted, settings.steps)


def test_every_preset_is_in_the_documentation() -> None:
    text = (ROOT / "docs" / "papers.md").read_text()
    assert all(f"`{name}`" in text for name in PRESETS)
