"""The ledger: shares, pulls and their sum, what a watched painting paints, the file, the section."""

from __future__ import annotations

import copy
import csv
import io
import math
import sys
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from gramarye import statistics, transfer, weights
from gramarye.errors import ImageError, MissingExtraError
from gramarye.explain import ledger
from gramarye.explain.subject import Subject, bring, paint
from gramarye.objective import Objective, Term, objective_for
from gramarye.optimize import Descent
from gramarye.presets import preset
from gramarye.pulling import finish
from gramarye.result import Result
from gramarye.settings import OptimizerSettings, Settings, ShiftingSettings
from gramarye.vgg import VGG
from networks import picture, random_weights

SMALL = preset("default").with_(size=48, steps=8, **{"scales.smallest": 24, "scales.count": 2, "scales.shares": ""})
NETWORK = VGG(random_weights(), pooling="avg")
KNOBS = [
    {"name": "lbfgs"},
    {"name": "lbfgs", "line_search": "strong-wolfe"},
    {"name": "adam", "averaging": 0.9, "decay": 0.5},
    {"name": "adagrad", "range": 255.0},
    {"name": "sgd", "momentum": 0.9},
]
SHIFTS = [ShiftingSettings(), ShiftingSettings(fraction=0.9, degrees=5)]


@pytest.fixture(autouse=True)
def _random_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "load", lambda *_: random_weights())


@cache
def painted(settings: Settings = SMALL) -> Subject:
    return finish(paint(picture(48, 40, 1), picture(40, 40, 2), settings))


@cache
def objective() -> Objective:
    shallow = SMALL.with_(**{"content.layers": "relu2_2", "style.layers": "relu1_1,relu2_1,relu3_1"})
    return objective_for(NETWORK, picture(32, 40, 1), [picture(32, 32, 2)], shallow)


def descent(knobs: dict, shifts: ShiftingSettings = SHIFTS[0], *, watched: bool = True) -> Descent:
    settings = OptimizerSettings(**knobs)
    return Descent(picture(32, 40, 1), objective(), NETWORK, settings, shifts, 3, watched=watched)


# ---- what the optimiser tells ------------------------------------------------------------------------


@pytest.mark.parametrize("knobs", KNOBS, ids=lambda knobs: "-".join(map(str, knobs.values())))
@pytest.mark.parametrize("shifts", SHIFTS, ids=["still", "shifted"])
def test_shares_sum_to_one_and_weighted_values_to_the_optimisers_total(knobs: dict, shifts: ShiftingSettings) -> None:
    steps = list(descent(knobs, shifts).steps(6))
    assert len(steps) >= 2
    for step in steps:
        assert math.fsum(step.shares.values()) == pytest.approx(1, abs=1e-6)
        assert min(step.shares.values()) >= 0
        assert math.fsum(step.weighted.values()) == pytest.approx(step.total, rel=1e-6)
        for name, value in step.terms.items():
            assert step.weighted[name] == step.weights[name] * value
        assert step.gradients.keys() == step.terms.keys()
        assert all(math.isfinite(norm) and norm >= 0 for norm in step.gradients.values())


@pytest.mark.parametrize("knobs", KNOBS, ids=lambda knobs: "-".join(map(str, knobs.values())))
@pytest.mark.parametrize("shifts", SHIFTS, ids=["still", "shifted"])
def test_a_watched_descent_paints_the_same_pixels(knobs: dict, shifts: ShiftingSettings) -> None:
    watched, blind = descent(knobs, shifts), descent(knobs, shifts, watched=False)
    ours, theirs = list(watched.steps(7)), list(blind.steps(7))
    assert torch.equal(watched.pixels, blind.pixels)
    assert [step.total for step in ours] == [step.total for step in theirs]
    assert all(step.gradients for step in ours)
    assert not any(step.gradients for step in theirs)


@pytest.mark.parametrize("white", [1.0, 255.0])
def test_pulls_are_the_slopes_along_the_gradients(white: float) -> None:
    """Along its own gradient a term rises by the gradient's length, by central differences in float64."""
    network = VGG(random_weights(), pooling="avg", dtype=torch.float64)
    start = picture(32, 40, 1).double()
    asked = preset("default").with_(balance="raw")
    exact = objective_for(network, picture(32, 40, 3).double(), [picture(32, 32, 2).double()], asked)
    (step,) = Descent(start, exact, network, OptimizerSettings(name="adam", range=white), watched=True).steps(1)
    for term in exact.terms:
        if not term.weight:
            continue

        def value(pixels: torch.Tensor, term: Term = term) -> torch.Tensor:
            return term.weight * term.measure(network(pixels, [term.layer])[term.layer])

        image = start.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(value(image), image)
        if not gradient.any():
            assert step.gradients[term.name] == 0
            continue
        along = 1e-5 * gradient / gradient.norm()
        with torch.no_grad():
            slope = float(value(start + along) - value(start - along)) / 2e-5
        assert step.gradients[term.name] == pytest.approx(slope, rel=1e-4), term.name
    assert sum(norm > 0 for norm in step.gradients.values()) >= 9


@pytest.mark.parametrize("knobs", KNOBS, ids=lambda knobs: "-".join(map(str, knobs.values())))
def test_a_state_goes_on_with_the_same_pulls(knobs: dict) -> None:
    whole, first, second = descent(knobs), descent(knobs), descent(knobs)
    rows = [(step.shares, step.gradients) for step in whole.steps(14)]
    for step in first.steps(14):
        if step.index >= 5:
            break
    second.restore(copy.deepcopy(first.state()))
    rest = [(step.shares, step.gradients) for step in second.steps(14)]
    assert rest
    assert rest == rows[-len(rest) :]


def test_a_painting_goes_on_with_its_ledger() -> None:
    whole, first, second = (transfer.prepare(picture(48, 40, 1), picture(40, 40, 2), SMALL) for _ in range(3))
    for painting in (whole, first, second):
        painting.watched = True
    for _ in whole.steps():
        pass
    for step in first.steps():
        if step.index == 6:
            break
    second.restore(copy.deepcopy(first.state()))
    for _ in second.steps():
        pass
    assert second.result().ledger == whole.result().ledger


# ---- its rows ----------------------------------------------------------------------------------------


def test_rows_are_one_for_each_step_and_term() -> None:
    subject = painted()
    result = subject.run
    assert isinstance(result, Result)
    rows = result.ledger
    assert list(rows[0]) == list(ledger.COLUMNS)
    assert all(type(row[name]) is kind for row in rows for name, kind in ledger.COLUMNS.items())
    assert len({(row["step"], row["term"]) for row in rows}) == len(rows)
    assert {row["step"] for row in rows} == set(range(1, 9))
    for step in range(1, 9):
        mine = [row for row in rows if row["step"] == step]
        assert math.fsum(row["share"] for row in mine) == pytest.approx(1, abs=1e-6)
        assert math.fsum(row["weighted"] for row in mine) == pytest.approx(mine[0]["total"], rel=1e-6)
    assert {(row["term"], row["kind"], row["layer"]) for row in rows} >= {("content relu4_2", "content", "relu4_2")}


def test_without_watching_there_are_no_pulls() -> None:
    painting = transfer.prepare(picture(48, 40, 1), picture(40, 40, 2), SMALL)
    for _ in painting.steps():
        pass
    assert {row["gradient"] for row in painting.result().ledger} == {None}


def test_nothing_left_has_no_shares() -> None:
    flat = Objective((Term("none", "content", "pixels", 1.0, lambda x: 0 * x.sum()),))
    (step,) = Descent(picture(32, 40, 1), flat, NETWORK, OptimizerSettings(name="adam"), watched=True).steps(1)
    assert (step.shares, step.gradients) == ({"none": 0.0}, {"none": 0.0})


# ---- channels ----------------------------------------------------------------------------------------


@given(some.integers(2, 7), some.integers(0, 1000), some.sampled_from(["l2", "l1", "huber"]))
def test_channel_shares_are_the_formulas(count: int, seed: int, distance: str) -> None:
    half = 10 * torch.randn(count, count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    difference = half + half.T
    shares = ledger.channel_shares(difference, distance, "hw")

    def cost(entry: float) -> float:
        size = abs(entry)
        return {"l2": size**2, "l1": size, "huber": size**2 if size <= 1 else 2 * size - 1}[distance]

    rows = [sum(cost(float(difference[i, j])) for j in range(count)) for i in range(count)]
    assert shares.tolist() == pytest.approx([row / sum(rows) for row in rows], rel=1e-9)
    assert float(shares.sum()) == pytest.approx(1, abs=1e-9)


def test_channels_share_out_what_is_left_of_the_term() -> None:
    """The difference that is shared out has the value of the term itself, with several paintings too."""
    settings = SMALL.with_(**{"style.mix": "1,3", "style.layers": "relu2_1", "balance": "raw"})
    subject = finish(paint(picture(48, 40, 1), [picture(40, 40, 2), picture(44, 40, 3)], settings))
    (found,) = ledger.left_by_channel(subject)
    grams = [
        statistics.gram_matrix(subject.network(each, ["relu2_1"])["relu2_1"])[0]
        for each in (subject.result, *subject.styles)
    ]
    squared = (grams[0] - 0.25 * grams[1] - 0.75 * grams[2]).square()
    rows = squared.sum(1) / squared.sum()
    assert found.count == len(rows) == 32
    assert list(found.shares) == pytest.approx(sorted(rows.tolist(), reverse=True)[: ledger.MOST], rel=1e-3)
    assert [float(rows[channel]) for channel in found.channels] == pytest.approx(list(found.shares), rel=1e-3)
    assert sum(sorted(rows.tolist(), reverse=True)[: found.half]) >= 0.5
    assert sum(sorted(rows.tolist(), reverse=True)[: found.half - 1]) < 0.5
    (term,) = [term for term in subject.objective.terms if term.kind == "style"]
    value = term.measure(subject.network(subject.result, ["relu2_1"])["relu2_1"])
    assert float(squared.sum() / (4 * 128**2)) == pytest.approx(float(value), rel=1e-4)


def test_nothing_left_is_carried_by_no_channel() -> None:
    assert ledger.channel_shares(torch.zeros(3, 3)).tolist() == [0, 0, 0]


def test_other_statistics_have_no_channels_to_share() -> None:
    assert finish(ledger.explain(painted(SMALL.with_(**{"style.statistic": "moments"})), "quick")).channels == ()


# ---- the section -------------------------------------------------------------------------------------


def test_the_section_tells_the_run() -> None:
    subject = painted()
    section = finish(ledger.explain(subject, "quick"))
    assert section.steps == tuple(range(1, 9))
    assert sorted(set(section.scales)) == [0, 1]
    assert section.totals == tuple(step.total for step in subject.run.history)
    for place in range(8):
        assert math.fsum(curve.shares[place] for curve in section.curves) == pytest.approx(1, abs=1e-6)
        assert math.fsum(curve.weighted[place] for curve in section.curves) == pytest.approx(
            section.totals[place], rel=1e-6
        )
        assert all(curve.gradients[place] >= 0 for curve in section.curves)
    assert math.fsum(term["share"] for term in section.terms) == pytest.approx(1, abs=1e-6)
    assert {term["term"] for term in section.terms} == {curve.term for curve in section.curves}
    assert [each.layer for each in section.channels] == list(subject.settings.style.layers)
    assert section.frames == subject.frames


def test_the_findings_say_what_the_numbers_say() -> None:
    section = finish(ledger.explain(painted(), "full"))
    text = " ".join(section.findings)
    last = [total for total, scale in zip(section.totals, section.scales, strict=True) if scale == 1]
    assert f"from {last[0]:.3g} to {last[-1]:.3g} in 4 evaluations" in text
    assert ("fell" in text) == (last[-1] < last[0])
    hardest = max(section.curves, key=lambda curve: curve.gradients[-1])
    assert f"Hardest pulls {hardest.term} at the end" in text
    content = math.fsum(term["share"] for term in section.terms if term["kind"] == "content")
    assert f"content is {content:.0%}" in text
    few = min(section.channels, key=lambda each: each.half / each.count)
    assert f"In {few.layer} {few.half} of {few.count} channels" in text


def test_a_picture_that_was_brought_along_has_only_its_terms() -> None:
    section = finish(ledger.explain(bring(picture(48, 40, 9), picture(48, 40, 1), picture(40, 40, 2), SMALL), "quick"))
    assert (section.steps, section.curves, section.frames) == ((), (), ())
    assert len(section.terms) >= 9
    assert len(section.findings) == 2


# ---- the file ----------------------------------------------------------------------------------------


def test_csv_holds_every_number_in_full(tmp_path: Path) -> None:
    rows = painted().run.ledger
    rows[0]["gradient"] = None
    ledger.write(rows, tmp_path / "out.CSV")
    read = list(csv.DictReader(io.StringIO((tmp_path / "out.CSV").read_text(encoding="utf-8"))))
    assert len(read) == len(rows)
    for text, row in zip(read, rows, strict=True):
        assert {name: kind(text[name]) if text[name] else None for name, kind in ledger.COLUMNS.items()} == row


def test_parquet_holds_the_same(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = painted().run.ledger
    rows[0]["gradient"] = None
    ledger.write(rows, tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.column_names == list(ledger.COLUMNS)
    assert table.to_pylist() == rows
    ledger.write([{**row, "gradient": None} for row in rows], tmp_path / "blind.parquet")
    assert str(parquet.read_table(tmp_path / "blind.parquet").schema.field("gradient").type) == "double"


def test_an_empty_ledger_has_its_columns(tmp_path: Path) -> None:
    ledger.write([], tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == ",".join(ledger.COLUMNS) + "\n"


@pytest.mark.parametrize("name", ["out.tsv", "out", "nowhere/out.csv", "."])
def test_where_no_ledger_can_be_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        ledger.check(tmp_path / name)


def test_parquet_without_the_extra_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"Pip install \"gramarye\[parquet\]\""):
        ledger.check(tmp_path / "out.parquet")
    ledger.check(tmp_path / "out.csv")
