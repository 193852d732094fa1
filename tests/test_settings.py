"""Settings: every knob declared once, checked, and round-tripping."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gramarye.errors import SettingsError
from gramarye.knobs import Knob
from gramarye.presets import PRESETS, find, preset
from gramarye.settings import KNOBS, Settings


def values_of(knob: Knob) -> st.SearchStrategy[object]:
    """Allowed values of one knob."""
    if knob.choices:
        return st.sampled_from(knob.choices)
    if knob.type is bool:
        return st.booleans()
    if knob.type is int:
        return st.integers(int(knob.low), int(min(knob.high, 10**6)))
    if knob.type is float:
        return st.floats(knob.low, knob.high, allow_nan=False)
    return st.just(knob.default)


@given(st.data())
def test_any_settings_round_trip_through_json(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(KNOBS)))
    settings = Settings().with_(**{name: data.draw(values_of(KNOBS[name]))})
    assert Settings.from_json(settings.to_json()) == settings
    assert Settings.from_dict(settings.to_dict()) == settings


@given(st.data())
def test_text_means_the_same_as_the_value(data: st.DataObject) -> None:
    """What is typed after --set gives what Python's value gives."""
    name = data.draw(st.sampled_from(sorted(KNOBS)))
    value = data.draw(values_of(KNOBS[name]))
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    assert Settings().with_(**{name: text}) == Settings().with_(**{name: value})


def test_every_knob_has_help_and_a_legal_default() -> None:
    for knob in KNOBS.values():
        assert len(knob.help) > 5, knob.name
        assert Settings().get(knob.name) == knob.default
        Settings().with_(**{knob.name: knob.default})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"style.wieght": 1}, "style.weight"),
        ({"sise": 3}, "size"),
        ({"size": 3}, "size must lie in 32 … 20000; got 3"),
        ({"size": "large"}, "size must be a whole number; got 'large'"),
        ({"size": 500.5}, "whole number"),
        ({"size": True}, "whole number"),
        ({"steps": -1}, "steps must lie in"),
        ({"optimizer.name": "adm"}, "'adam'"),
        ({"style.weight": "nan"}, "finite"),
        ({"style.weight": "inf"}, "finite"),
        ({"style.weight": None}, "finite"),
        ({"style.layers": "relu9_1"}, "relu"),
        ({"style.layers": 5}, "list"),
        ({"style.layer_weights": "1,2"}, "one weight for each of the 5 layers"),
        ({"network.rescale": "perhaps"}, "true or false"),
        ({"style": 3}, "unknown knob"),
        ({"": 3}, "unknown knob"),
        ({"scales.count": 0}, "scales.count must lie in"),
    ],
)
def test_bad_values_are_answered_with_rule_value_and_remedy(changes: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings().with_(**changes)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[]", "{", "3", '{"size": "x"}', '{"unknown": 1}', '{"style": 4}'])
def test_bad_json(text: str) -> None:
    with pytest.raises(SettingsError):
        Settings.from_json(text)


def test_settings_cannot_be_changed_in_place() -> None:
    with pytest.raises(AttributeError):
        Settings().size = 3


def test_presets_have_sources_and_their_own_names() -> None:
    assert {"default", "draft", "gatys-2015", "pytorch-tutorial"} <= set(PRESETS)
    for name in PRESETS:
        assert find(name).source
        assert Settings.from_json(preset(name).to_json()) == preset(name)
    with pytest.raises(SettingsError, match="'default'"):
        preset("defualt")
