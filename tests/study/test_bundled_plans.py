"""The bundled plans have the values of the paper's tables, all can be carried out, and they are documented."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

from gramarye.presets import preset
from gramarye.study import plan
from gramarye.study.plan import KEYS, SHARED
from gramarye.study.record import Trial

BASELINE = preset("joshi-hu-baseline")
LITE = {"network.name": "vgg19-lite"}
PAPER = (
    "iterations",
    "error-layers",
    "style-weight",
    "content-weight",
    "shifting",
    "initialisation",
    "image-types",
    "loss",
    "optimisers",
    "revised",
)


@cache
def every_trial(name: str) -> tuple[Trial, ...]:
    return plan.trials(plan.read(name, changes=LITE))


def trials(name: str, group: str = "") -> list[Trial]:
    return [trial for trial in every_trial(name) if not group or trial.group == group]


@pytest.mark.parametrize(
    ("name", "knob", "values"),
    [
        ("iterations", "steps", [100, 200, 300, 600, 1000, 2000]),
        ("style-weight", "style.weight", [1e6, 1e5, 1e3, 1e2]),
        ("content-weight", "content.weight", [1, 5, 10, 20, 100]),
        ("initialisation", "init", ["content", "noise", "black"]),
        ("optimisers", "optimizer.name", ["lbfgs", "adam", "adagrad", "sgd"]),
    ],
)
def test_one_knob_is_varied_around_the_baseline(name: str, knob: str, values: list[object]) -> None:
    expected = [BASELINE.with_(**LITE, **{knob: value}) for value in values]
    assert [trial.settings for trial in trials(name)] == expected


def test_error_layers_are_all_subsets_of_five_layers_before_and_after_relu() -> None:
    found = trials("error-layers")
    assert len(found) == 124
    for knob in ("content", "style"):
        for kind in ("conv", "relu"):
            names = [f"{kind}_{number}" for number in range(1, 6)]
            subsets = {each for size in range(1, 6) for each in combinations(names, size)}
            own = [trial for trial in found if trial.group == f"{knob}-{kind}"]
            assert len(own) == len(subsets) == 31
            assert {getattr(trial.settings, knob).layers for trial in own} == subsets
            other = "style" if knob == "content" else "content"
            assert {getattr(trial.settings, other) for trial in own} == {getattr(BASELINE, other)}
    styles = [trial.settings.style for trial in found]
    assert all(set(style.layer_weights) == {1.0} for style in styles)  # a layer counts as much alone as with others


def test_shifting_has_the_fractions_of_table_2_and_what_it_is_without() -> None:
    shifted = [trial.settings.shifting for trial in trials("shifting", "shifted")]
    assert [each.fraction for each in shifted] == [0.95, 0.96, 0.97, 0.98, 0.99]
    assert all(each.degrees > 0 for each in shifted)
    assert [trial.settings for trial in trials("shifting", "unshifted")] == [BASELINE.with_(**LITE)]


def test_loss_changes_both_distances() -> None:
    found = [(each.settings.content.distance, each.settings.style.distance) for each in trials("loss")]
    assert found == [("l2", "l2"), ("l1", "l1")]


def test_image_types_are_every_pair_of_two_photographs_and_two_paintings() -> None:
    pairs = {(trial.pair.content, trial.pair.style) for trial in trials("image-types")}
    assert len(pairs) == 4
    assert all(len({pair[place] for pair in pairs}) == 2 for place in (0, 1))


def test_revised_is_the_baseline_and_a_grid_of_the_revised_preset_for_five_pairs() -> None:
    baseline, revised = trials("revised", "baseline"), trials("revised", "revised")
    assert [trial.settings for trial in baseline] == [BASELINE.with_(**LITE)] * 5
    grid = {
        (each.settings.content.weight, each.settings.style.weight, each.settings.init)
        for each in revised
        if each.pair == revised[0].pair
    }
    assert len(grid) == 12
    assert len(revised) == 60
    fixed = {each.settings.with_(**{"content.weight": 1, "style.weight": 1, "init": "content"}) for each in revised}
    assert fixed == {preset("joshi-hu-revised").with_(**LITE, **{"content.weight": 1, "style.weight": 1})}


def test_joshi_hu_is_all_of_them() -> None:
    whole = plan.read("joshi-hu", changes=LITE)
    parts = [plan.read(name, changes=LITE) for name in PAPER]
    assert whole.groups == tuple(group for part in parts for group in part.groups)
    assert all(group.question and (group.reported or group.name == "unshifted") for group in whole.groups)
    made = [trial.key for name in PAPER for trial in every_trial(name)]
    assert plan.count(whole) == len(made) == len(set(made)) + 10  # eleven of them are the baseline


def test_interactions_tell_every_pair_of_five_knobs() -> None:
    found = plan.read("interactions", changes=LITE)
    assert len(found.groups[0].axes) == 5
    assert not [each for each in plan.remarks(found, every_trial("interactions")) if "act together" in each]
    assert {trial.settings.balance for trial in every_trial("interactions")} == {"start"}


def test_layers_leaves_each_one_out_and_takes_each_alone() -> None:
    found = [trial.settings.style for trial in trials("layers", "style-layers")]
    assert sorted(len(style.layers) for style in found) == [1, 1, 1, 1, 1, 4, 4, 4, 4, 4, 5]
    assert all(set(style.layer_weights) == {0.2} for style in found)


@pytest.mark.parametrize("name", ["iterations", "interactions", "layers", "revised"])
def test_a_quarter_has_a_quarter_of_the_size_and_the_steps(name: str) -> None:
    found = plan.trials(plan.read(name, scale=0.25, changes=LITE))
    full = every_trial(name)
    assert [trial.settings.steps for trial in found] == [round(trial.settings.steps / 4) for trial in full]
    assert [trial.settings.size for trial in found] == [trial.settings.size // 4 for trial in full]


def test_no_plan_is_without_a_test() -> None:
    assert set(plan.bundled()) == {*PAPER, "joshi-hu", "interactions", "layers"}


def test_the_page_has_every_plan_and_every_key() -> None:
    page = (Path(__file__).parents[2] / "docs" / "studies.md").read_text()
    for name in (*plan.bundled(), *KEYS, *SHARED, *plan.KINDS):
        assert f"`{name}`" in page, name
