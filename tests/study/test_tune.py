"""Tuning: ranges, what is minimised and who judges, proposals that come back after a stop, giving up early."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from gramarye import images, transfer
from gramarye.errors import StudyError
from gramarye.presets import preset
from gramarye.pulling import finish
from gramarye.settings import Settings
from gramarye.study import pruning, tune, work
from gramarye.study.record import Pair, Record
from gramarye.study.store import Claim, Store
from gramarye.study.tune import Range
from networks import picture
from records import record

pytest.importorskip("optuna")

NAMES = {"content-held-out@vgg19-lite": 0.5, "style-gram@vgg19-lite": 0.4, "ssim": 0.3, "style-sliced@vgg19-lite": 0.2}
TINY = preset("default").with_(size=48, steps=4, **{"network.name": "vgg19-lite"})


@pytest.fixture(autouse=True)
def _one_thread() -> object:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    images.save(picture(48, 48, 1), tmp_path / "content.png")
    images.save(picture(48, 48, 2), tmp_path / "style.png")
    return Pair("tiny", str(tmp_path / "content.png"), str(tmp_path / "style.png"))


def tuning(tmp_path: Path, pair: Pair, **known: object) -> tune.Tuning:
    ranges = tune.ranges(TINY, ("style.weight", "init=content,matched"))
    return tune.Tuning(Store.open(tmp_path / "store"), "study-tune", pair, "default", TINY, ranges, **known)


def test_ranges_come_from_the_knobs() -> None:
    settings = Settings().with_(**{"style.weight": 30})
    weight, init, steps = tune.ranges(settings, ("style.weight", "init", "steps=10:100"))
    assert (weight.low, weight.high, weight.log) == (1.0, 900.0, True)
    assert "file" not in init.choices
    assert (steps.low, steps.high, steps.log) == (10, 100, True)
    assert tune.ranges(settings, ("init=noise,black",))[0].choices == ("noise", "black")
    assert tune.ranges(settings, ("optimizer.momentum",))[0] == Range("optimizer.momentum", 0, 0.9999)


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("style.wieght", "style.weight"),
        ("style.weight=5:2", "higher"),
        ("style.weight=-1:2", "must lie in"),
        ("init=nosie", "noise"),
        ("content.layers", "say its values"),
        ("smoothness.weight", "say a range"),
    ],
)
def test_bad_ranges_are_refused(text: str, about: str) -> None:
    from gramarye.errors import GramaryeError

    with pytest.raises(GramaryeError, match=about):
        tune.ranges(Settings(), (text,))


def test_a_knob_is_tuned_once() -> None:
    with pytest.raises(StudyError, match="once"):
        tune.ranges(Settings(), ("init", "init=noise"))


def test_no_score_both_tunes_and_judges() -> None:
    goal = tune.goal(list(NAMES), TINY)
    assert (goal.content, goal.style) == (("content-held-out@vgg19-lite",), ("style-gram@vgg19-lite",))
    assert goal.judges
    assert not set(goal.judges) & {*goal.content, *goal.style}
    with pytest.raises(StudyError, match="of style"):
        tune.goal(["ssim"], TINY)


def test_better_scores_are_below_zero() -> None:
    untuned, better = record(0, {}, NAMES), record(1, {}, {**NAMES, "ssim": 0.65, "style-sliced@vgg19-lite": 0.1})
    assert tune.against(better, untuned, ["ssim"]) == pytest.approx(math.log(0.35 / 0.7))
    assert tune.against(better, untuned, ["ssim", "style-sliced@vgg19-lite"]) == pytest.approx(math.log(0.5))
    assert tune.against(untuned, untuned, list(NAMES)) == 0


def test_proposals_find_the_valley() -> None:
    known = (Range("style.weight", 1, 1000, log=True),)

    def loss(weight: float) -> float:
        return abs(math.log10(weight) - 2)

    told: list[tuple[dict[str, float], tuple[float, ...]]] = []
    for number in range(30):
        knobs = tune.proposal(known, told, seed=number, numbers=1)
        assert 1 <= knobs["style.weight"] <= 1000
        told.append((knobs, (loss(knobs["style.weight"]),)))
    early, late = ([loss(knobs["style.weight"]) for knobs, _ in part] for part in (told[:6], told[-10:]))
    assert sum(late) / 10 < 0.6 * sum(early) / 6
    assert tune.proposal(known, told, seed=3, numbers=1) == tune.proposal(known, told, seed=3, numbers=1)


def test_tuning_goes_on_where_it_was(tmp_path: Path, pair: Pair) -> None:
    first = tuning(tmp_path, pair)
    painted = []
    for found in tune.steps(first, 4, pruning.run):
        painted.append(found)
        if len(painted) == 2:
            break
    assert painted[0].trial.settings == TINY
    again = tuning(tmp_path, pair)
    assert [each.trial.key for each in again.finished()] == [each.trial.key for each in painted]
    rest = list(tune.steps(again, 4, pruning.run))
    assert len(rest) == 2
    straight = tuning(tmp_path / "other", pair)
    (tmp_path / "other").mkdir()
    keys = [each.trial.key for each in tune.steps(straight, 4, pruning.run)]
    assert keys == [each.trial.key for each in (*painted, *rest)]
    assert list(tune.steps(again, 4, pruning.run)) == []
    best = again.tuned()
    assert best is not None
    goal = again.goal()
    assert tune.against(best, again.untuned(), [*goal.content, *goal.style]) <= 0
    assert set(best.trial.levels) == {"style.weight", "init"}
    assert again.front()


def test_a_trial_that_fails_does_not_stop_tuning(tmp_path: Path, pair: Pair) -> None:
    def run(store: Store, study: str, claim: Claim) -> None:
        if claim.trial.settings.init == "matched" and claim.trial.levels["style.weight"] != 30:
            store.fail(claim, "it would not")
        else:
            pruning.run(store, study, claim)

    list(tune.steps(tuning(tmp_path, pair), 5, run))
    states = [each.state for each in tuning(tmp_path, pair).records()]
    assert len(states) == 5
    assert set(states) <= {"done", "pruned", "set aside"}


class TestGivingUp:
    def ledger_of(self, pair: Pair, settings: Settings) -> pruning.Rival:
        painting = transfer.prepare(pair.content, pair.style, settings)
        for _ in painting.steps():
            pass
        return pruning.Rival(settings, work.ledger.columns(painting.result()))

    def test_a_trial_that_is_behind_in_both_is_given_up(self, pair: Pair) -> None:
        settings = TINY.with_(steps=8)
        rival = self.ledger_of(pair, settings)
        behind = {
            kind: {name: [v / 10 for v in values] for name, values in rival.ledger["value"].items()} for kind in "v"
        }
        better = pruning.Rival(settings, {**rival.ledger, "value": behind["v"]})
        trial = tune.trials(pair, "default", settings, [{"style.weight": 30.0}])[0]
        outcome, given_up = finish(pruning.painting(trial, [better]))
        assert given_up
        assert outcome.evaluations < 8
        assert outcome.scores
        outcome, given_up = finish(pruning.painting(trial, [rival]))
        assert not given_up  # as good as itself
        assert outcome.evaluations == 8

    def test_other_quantities_are_not_compared(self, pair: Pair) -> None:
        settings = TINY.with_(steps=8)
        rival = self.ledger_of(pair, settings)
        far = {name: [value / 10 for value in values] for name, values in rival.ledger["value"].items()}
        other = pruning.Rival(settings.with_(**{"style.distance": "l1"}), {**rival.ledger, "value": far})
        trial = tune.trials(pair, "default", settings, [{"style.weight": 30.0}])[0]
        assert not finish(pruning.painting(trial, [other]))[1]


def test_the_record_says_done_or_pruned(tmp_path: Path, pair: Pair) -> None:
    found: list[Record] = list(tune.steps(tuning(tmp_path, pair), 1, pruning.run))
    assert found[0].state == "done"
    assert found[0].picture is not None
