"""The losses of a study's tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gramarye.settings import Settings
from gramarye.study.grids import losses
from records import record

BASE = Settings().with_(size=64, **{"network.name": "vgg19-lite"})
TERMS = ("content relu2_1", "style relu1_1", "style relu2_1")
WEIGHTS = (2.0, 10.0, 100.0)


def ledger(*last: float | None) -> dict[str, Any]:
    """Of two evaluations, the second with these raw values."""
    return {
        "terms": [{"name": name, "kind": name.partition(" ")[0], "layer": name.partition(" ")[2]} for name in TERMS],
        "step": [1, 2],
        "total": [1.0, 1.0],
        "value": {name: [1.0, value] for name, value in zip(TERMS, last, strict=True)},
        "weighted": {
            name: [weight, None if value is None else weight * value]
            for name, weight, value in zip(TERMS, WEIGHTS, last, strict=True)
        },
    }


def test_parts_of_the_total_are_those_of_the_finished_picture_not_of_the_last_evaluation() -> None:
    found = replace(record(0, {}, {}, base=BASE), terms=dict(zip(TERMS, (3.0, 0.5, 0.25), strict=True)), total=36.0)
    parts = losses(found, ledger(7.0, 40.0, 9.0))  # a line search that went astray at the very end
    assert parts == pytest.approx({"total": 36.0, "content": 6.0, "style": 30.0})
    assert parts["content"] + parts["style"] == pytest.approx(parts["total"])


@pytest.mark.parametrize("unknown", [0.0, None])
def test_a_part_whose_weight_cannot_be_told_is_left_out(unknown: float | None) -> None:
    found = replace(record(0, {}, {}, base=BASE), terms=dict(zip(TERMS, (3.0, 0.5, 0.25), strict=True)), total=36.0)
    assert losses(found, ledger(7.0, unknown, 9.0)) == pytest.approx({"total": 36.0, "content": 6.0})


def test_without_a_ledger_there_is_the_total() -> None:
    found = replace(record(0, {}, {}, base=BASE), total=36.0)
    assert losses(found, None) == {"total": 36.0}
