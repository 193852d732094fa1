"""How flicker is measured: the formula, its floor, what is left out of the means, and the trace of the Gram matrix."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gramarye.vgg import VGG
from gramarye.video import measure
from gramarye.video.flow import UNKNOWN
from gramarye.video.measure import Flicker, Moment
from networks import picture, random_weights
from pictures import painting

SIDES = st.integers(1, 33)


@given(SIDES, SIDES)
def test_a_still_film_has_no_warp_error(height: int, width: int) -> None:
    frame, still = painting(height, width), torch.zeros(1, 2, height, width)
    assert measure.warp_error(frame, frame, still, torch.ones(1, 1, height, width)) == 0


@given(st.integers(2, 33), st.integers(2, 33), st.integers(-9, 9), st.integers(-9, 9))
def test_a_film_that_only_moves_has_none_either(height: int, width: int, dx: int, dy: int) -> None:
    then = painting(height, width)
    flow = torch.tensor([dx, dy], dtype=torch.float32).view(1, 2, 1, 1).expand(1, 2, height, width)
    rows, columns = torch.arange(height) + dy, torch.arange(width) + dx
    now = then[:, :, rows.clamp(0, height - 1)][:, :, :, columns.clamp(0, width - 1)]
    assert measure.warp_error(now, then, flow, torch.ones(1, 1, height, width)) == 0


@given(SIDES, SIDES, st.integers(0, 1000))
def test_the_formula_pixel_by_pixel(height: int, width: int, seed: int) -> None:
    now, then = painting(height, width, seed=seed), painting(height, width, seed=seed + 1)
    mask = (torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(seed)) > 0.5).float()
    total = sum(
        float(((now[0, :, i, j] - then[0, :, i, j]) ** 2).mean())
        for i in range(height)
        for j in range(width)
        if mask[0, 0, i, j]
    )
    expected = total / float(mask.sum()) if mask.any() else 0
    found = measure.warp_error(now, then, torch.zeros(1, 2, height, width), mask)
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-9)


def test_what_is_not_seen_does_not_count() -> None:
    now, then = painting(6, 8), painting(6, 8)
    now[..., :4] = 1 - now[..., :4]
    mask = torch.ones(1, 1, 6, 8)
    mask[..., :4] = 0
    still = torch.zeros(1, 2, 6, 8)
    assert measure.warp_error(now, then, still, mask) == 0
    assert measure.warp_error(now, then, still, torch.zeros_like(mask)) == 0
    assert measure.warp_error(now, then, still, torch.ones_like(mask)) > 0.01


def scene(seed: int) -> list[torch.Tensor]:
    wide = torch.nn.functional.interpolate(picture(24, 40, seed), (90, 150), mode="bicubic").clamp(0, 1)
    return [wide[:, :, 10:74, 10 + 2 * step : 106 + 2 * step].contiguous() for step in range(3)]


def test_flicker_of_a_film_beside_its_floor() -> None:
    """Two shots; the painting adds noise of known size to each frame: twice its variance, which the floor has not."""
    sources = [*scene(1), *(0.3 * frame + 0.7 for frame in scene(5))]
    noise = [0.1 * (painting(64, 96, seed=10 + index) - 0.5) for index in range(len(sources))]
    paintings = [source + each for source, each in zip(sources, noise, strict=True)]
    found = Flicker(list(measure.flicker(sources, paintings)))
    assert [row.index for row in found.rows] == [0, 1, 2, 3, 4, 5]
    assert found.cuts == [3]
    assert found.rows[0].warp_error is None
    assert found.rows[3].warp_error is None
    assert len(found.compared) == 4
    assert found.source_warp_error < 1e-4
    assert found.warp_error - found.source_warp_error == pytest.approx(2 * 0.01 / 12, rel=0.2)
    assert found.seen > 0.8


def test_paintings_of_another_size_are_measured_at_theirs() -> None:
    sources = scene(1)
    paintings = [torch.nn.functional.interpolate(each, (33, 49), mode="area") for each in sources]
    rows = list(measure.flicker(sources, paintings))
    assert rows[1].warp_error < 1e-3


def test_flicker_comes_frame_by_frame() -> None:
    def pulled() -> object:
        yield scene(1)[0]
        raise RuntimeError("too far")

    rows = measure.flicker(pulled(), scene(1))
    assert next(rows) == Moment(0, None, None, 0.0)


def test_means_leave_out_cuts_and_what_was_not_seen() -> None:
    found = Flicker(
        (
            Moment(0, None, None, 0.0),
            Moment(1, 0.02, 0.01, 0.9),
            Moment(2, None, None, 0.0, cut=True),
            Moment(3, 0.04, 0.02, 0.7),
            Moment(4, 0.0, 0.0, 0.0),
        )
    )
    assert found.warp_error == pytest.approx(0.03)
    assert found.source_warp_error == pytest.approx(0.015)
    assert found.seen == pytest.approx(0.8)
    plain = found.as_json()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["cuts"] == [2]
    assert plain["rows"][1] == {
        "index": 1, "warp_error": 0.02, "source_warp_error": 0.01, "seen": 0.9, "cut": False
    }  # fmt: skip
    assert Flicker(()).as_json() == {
        "warp_error": None, "source_warp_error": None, "seen": None, "cuts": [], "rows": []
    }  # fmt: skip


def test_the_endpoint_error_counts_what_is_valid_and_known() -> None:
    truth = torch.zeros(1, 2, 2, 2)
    found = torch.tensor([[3.0, 4.0]]).T.reshape(1, 2, 1, 1).expand(1, 2, 2, 2).clone()
    assert measure.endpoint_error(found, truth) == 5
    found[..., 0, 0] = 0
    assert measure.endpoint_error(found, truth) == pytest.approx(15 / 4)
    valid = torch.ones(1, 1, 2, 2)
    valid[..., 0, 0] = 0
    assert measure.endpoint_error(found, truth, valid) == 5
    truth[0, 0, 1, 1] = 2 * UNKNOWN
    assert measure.endpoint_error(found, truth, valid) == 5


def test_the_trace_of_the_gram_matrix_is_the_mean_square_of_the_activations() -> None:
    network, frame = VGG(random_weights()), picture(48, 64, 1)
    traces = measure.gram_trace(network, frame, ("relu1_1", "relu2_1"))
    with torch.no_grad():
        activations = network(frame, ("relu1_1", "relu2_1"))
    for name, activation in activations.items():
        assert traces[name] == pytest.approx(float(activation.square().sum(1).mean()), rel=1e-5)
