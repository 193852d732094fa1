"""The two painters of films: what holds a frame to those before it, and what does not."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gramarye import objective, painting, recolor, statistics, weights
from gramarye.errors import SettingsError
from gramarye.presets import preset
from gramarye.settings import Settings
from gramarye.video.film import Frame
from gramarye.video.painters import Fast, Optimised, agreement
from gramarye.video.sequence import Before, Earlier, Painted, sequence
from gramarye.video.settings import TemporalSettings
from networks import picture, random_weights

SIZE = 48, 64
SMALL = preset("default").with_(
    size=64, steps=8, precision="float32", **{"scales.count": 2, "scales.smallest": 32, "scales.shares": ""}
)
QUICK = TemporalSettings(steps=4)
STYLE = picture(40, 40, 2)


@pytest.fixture(autouse=True)
def random_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A random network instead of the embedded one: nothing here depends on what it has learned."""
    monkeypatch.setattr(weights, "load", lambda *_: random_weights())


def frame(index: int, pixels: Tensor) -> Frame:
    return Frame(index, Fraction(index, 24), pixels)


def still(count: int, noise: float = 0.0) -> list[Frame]:
    """A scene that does not move, with the camera's noise."""
    scene, generator = picture(*SIZE, 1), torch.Generator().manual_seed(0)
    return [
        frame(number, (scene + noise * torch.randn(scene.shape, generator=generator)).clamp(0, 1))
        for number in range(count)
    ]


def known(now: Frame, then: Frame, pixels: Tensor, mask: Tensor | None = None, distance: int = 1) -> Earlier:
    """An earlier frame from which nothing has moved."""
    height, width = now.pixels.shape[2:]
    seen = torch.ones(1, 1, height, width) if mask is None else mask
    return Earlier(distance, then, pixels, torch.zeros(1, 2, height, width), seen)


def errors(painted: list[Painted]) -> list[float]:
    return [each.warp_error for each in painted if each.warp_error is not None]


# ---- the temporal term -------------------------------------------------------------------------------


def test_the_temporal_term_is_the_papers() -> None:
    now, then = (picture(6, 8, seed).double() for seed in (1, 2))
    mask = torch.zeros(1, 1, 6, 8, dtype=torch.float64)
    mask[..., :4] = 1
    expected = (now - then)[..., :4].square().sum() / (3 * 6 * 8)
    assert float(statistics.temporal_distance(now, then, mask)) == pytest.approx(float(expected))
    term = objective.temporal_term("temporal 1", then, mask, 2.0)
    assert (term.kind, term.layer, term.weight) == ("temporal", "pixels", 2.0)
    assert float(term.measure(now)) == pytest.approx(float(expected), rel=1e-5)
    assert float(term.measure(then)) < 1e-12
    assert torch.autograd.gradcheck(lambda each: statistics.temporal_distance(each, then, mask), now.requires_grad_())


@given(value=st.floats(0, 1), seed=st.integers(0, 5))
def test_places_that_are_not_seen_do_not_pull(value: float, seed: int) -> None:
    mask = (picture(6, 8, seed)[:, :1] > 0.5).float()
    term = objective.temporal_term("temporal 1", picture(6, 8, 2), mask, 1.0)
    at = torch.full((1, 3, 6, 8), value, requires_grad=True)
    (gradient,) = torch.autograd.grad(term.measure(at), at)
    assert not gradient[(mask == 0).expand_as(gradient)].any()


def test_a_picture_of_another_size_is_compared_at_its_own() -> None:
    term = objective.temporal_term("temporal 1", torch.full((1, 3, 8, 8), 0.25), torch.ones(1, 1, 8, 8), 1.0)
    assert float(term.measure(torch.full((1, 3, 4, 5), 0.75))) == pytest.approx(0.25)


# ---- the optimisation --------------------------------------------------------------------------------


def test_a_frame_begins_as_the_one_before_where_that_is_seen() -> None:
    painter, frames = Optimised(STYLE, SMALL, QUICK), still(2)
    mask = torch.zeros(1, 1, *SIZE)
    mask[..., : SIZE[1] // 2] = 1
    earlier = picture(*SIZE, 7)
    job = painter.painting(frames[1], Before((known(frames[1], frames[0], earlier, mask),)))
    own = painter.painting(frames[1], None)
    assert [scale.evaluations for scale in job.scales] == [2, 2]
    assert [scale.evaluations for scale in own.scales] == [4, 4]
    assert own.held is None
    assert job.held is not None
    begun = job.held.laid_over(own.enlarged(SIZE))
    torch.testing.assert_close(begun[..., :32], earlier[..., :32], rtol=0, atol=1e-4)
    assert torch.equal(begun[..., 32:], own.enlarged(SIZE)[..., 32:])
    small = job.held.laid_over(job.pixels)
    expected = torch.nn.functional.interpolate(earlier, small.shape[2:], mode="area")
    torch.testing.assert_close(small[..., :14], expected[..., :14], rtol=0, atol=0.1)
    assert torch.equal(small[..., 18:], job.pixels[..., 18:])


def test_the_ledger_has_the_temporal_terms() -> None:
    painter = Optimised(STYLE, SMALL, QUICK)
    list(sequence(still(3), painter, range=(1, 2)))
    assert painter.result is not None
    rows = [row for row in painter.result.ledger if row["kind"] == "temporal"]
    assert {row["term"] for row in rows} == {"temporal 1", "temporal 2"}
    assert {row["step"] for row in rows} == {1, 2, 3, 4}
    first = next(row for row in rows if row["scale"] == 1)
    assert first["value"] < 1e-6  # at its full size it begins where it is held
    assert painter.result.recipe["content"]["name"] == "frame 2"


def test_the_weight_is_relative_to_the_style_at_the_photograph() -> None:
    now, then = still(2, noise=0.1)
    before = Before((known(now, then, then.pixels),))
    weighed = {}
    for balance in ("start", "raw"):
        job = Optimised(STYLE, SMALL.with_(balance=balance), TemporalSettings(weight=7.0)).painting(now, before)
        asked = job.objective(SIZE)
        values = asked.values(job.network(now.pixels, asked.layers))
        style = sum(term.weight * float(values[term.name]) for term in asked.terms if term.kind == "style")
        (temporal,) = (term.weight for term in asked.terms if term.kind == "temporal")
        assert temporal == pytest.approx(7 * style, rel=1e-4)
        weighed[balance] = temporal
    assert weighed["start"] == pytest.approx(7 * SMALL.style.weight, rel=1e-3)


def test_without_style_the_weight_is_as_it_is() -> None:
    now, then = still(2, noise=0.1)
    before = Before((known(now, then, then.pixels),))
    job = Optimised(STYLE, SMALL.with_(**{"style.weight": 0}), QUICK).painting(now, before)
    assert [term.weight for term in job.objective(SIZE).terms if term.kind == "temporal"] == [QUICK.weight]


def test_frames_are_held_to_those_before() -> None:
    noisy = SMALL.with_(init="noise")
    film = still(4, noise=0.03)

    def alone(now: Frame, before: Before | None) -> Tensor:
        return Optimised(STYLE, noisy.with_(seed=now.index))(now, None)

    held = errors(list(sequence(film, Optimised(STYLE, noisy, QUICK))))
    free = errors(list(sequence(film, alone)))
    assert max(held) < 0.2 * min(free)


def test_the_heavier_the_steadier() -> None:
    film = still(3, noise=0.1)
    found = [
        sum(errors(list(sequence(film, Optimised(STYLE, SMALL, TemporalSettings(weight=weight, steps=12))))))
        for weight in (0, 300, 1000, 3000)
    ]
    assert found == sorted(found, reverse=True)
    assert found[2] < 0.5 * found[0]


def test_targets_of_style_are_made_once_for_each_size(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    make = objective.style_terms

    def counting(*arguments: Any, **named: Any) -> Any:
        made.append(arguments[1][0].shape)
        return make(*arguments, **named)

    monkeypatch.setattr(painting, "style_terms", counting)
    monkeypatch.setattr(objective, "style_terms", counting)
    list(sequence(still(4), Optimised(STYLE, SMALL, QUICK)))
    assert len(made) == 2  # the first frame's two sizes


def test_targets_that_are_shared_paint_the_same_picture() -> None:
    painter, now = Optimised(STYLE, SMALL), still(1)[0]
    one, two = painter(now, None), painter(now, None)
    other = Optimised(STYLE, SMALL)(now, None)
    assert torch.equal(one, two)
    assert torch.equal(one, other)


@pytest.mark.parametrize("color", ["luminance", "after", "histogram", "pca"])
def test_every_way_with_colours_paints_a_steady_film(color: str) -> None:
    painter = Optimised(STYLE, SMALL.with_(color=color), TemporalSettings(weight=1000, steps=4))
    film = still(3)
    painted = list(sequence(film, painter))
    assert max(errors(painted)) < 1e-3
    if color in ("luminance", "after"):
        for each in painted:
            chroma = (pixels - recolor.luminance(pixels) for pixels in (each.pixels, each.frame.pixels))
            mine, its = (found.flatten() for found in chroma)
            assert float(torch.nn.functional.cosine_similarity(mine, its, dim=0)) > 0.9


def test_where_only_luminance_is_painted_the_picture_stays_grey_on_the_way() -> None:
    now, then = still(2, noise=0.05)
    job = Optimised(STYLE, SMALL.with_(color="luminance"), QUICK).painting(
        now, Before((known(now, then, then.pixels),))
    )
    for step in job.steps():
        assert float((step.pixels.amax(1) - step.pixels.amin(1)).max()) < 1e-4


@pytest.mark.parametrize(
    "knobs",
    [
        {"content.detail": 1.0, "content.detail_from": "lost", "steps": 3},
        {"shifting.degrees": 5.0, "optimizer.name": "adam"},
        {"strength": 0.5},
        {"strength": 0.0},
        {"optimizer.averaging": 0.9},
    ],
)
def test_every_kind_of_painting_can_be_a_film(knobs: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(painting, "DRAFT_STEPS", 2)
    film = still(2)
    painted = list(sequence(film, Optimised(STYLE, SMALL.with_(**knobs), TemporalSettings(steps=2))))
    assert all(bool(each.pixels.isfinite().all()) for each in painted)
    if knobs.get("strength") == 0:
        assert all(torch.allclose(each.pixels, each.frame.pixels, atol=1e-4) for each in painted)


def test_a_film_painted_in_two_parts_by_two_painters_is_the_same_film() -> None:
    film = still(4, noise=0.05)
    whole = [each.pixels for each in sequence(film, Optimised(STYLE, SMALL, QUICK))]
    rest = sequence(film[2:], Optimised(STYLE, SMALL, QUICK), past=[(film[1], whole[1])])
    assert all(torch.equal(*pair) for pair in zip(whole[2:], (each.pixels for each in rest), strict=True))


def test_knobs_out_of_range_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"temporal\.weight"):
        TemporalSettings(weight=-1)
    with pytest.raises(SettingsError, match=r"temporal\.blend"):
        Fast(lambda pixels: pixels, blend=1.0)
    assert isinstance(Optimised(STYLE).settings, Settings)


# ---- feed-forward ------------------------------------------------------------------------------------


class Restless:
    """A painter whose strokes are other ones every time."""

    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(0)

    def __call__(self, pixels: Tensor) -> Tensor:
        return (pixels + 0.1 * torch.randn(pixels.shape, generator=self.generator)).clamp(0, 1)


def test_without_anything_before_the_painter_is_left_alone() -> None:
    now = still(1)[0]
    assert torch.equal(Fast(lambda pixels: 1 - pixels)(now, None), 1 - now.pixels)


def test_the_blend_is_that_of_the_formula() -> None:
    """Seen are columns 0 to 19: .6 of what was painted there. The others take on its tone, out to nine pixels away."""
    now, then = frame(1, torch.full((1, 3, 8, 40), 0.5)), frame(0, torch.full((1, 3, 8, 40), 0.5))
    mask = torch.ones(1, 1, 8, 40)
    mask[..., 20:] = 0
    before = Before((known(now, then, torch.ones(1, 3, 8, 40), mask),))
    painted = Fast(lambda pixels: 0 * pixels, blend=0.6)(now, before)
    torch.testing.assert_close(painted[..., :20], torch.full((1, 3, 8, 20), 0.6))
    bell = [math.exp(-((step / 3.0) ** 2) / 2) for step in range(-9, 10)]
    for column in range(20, 40):
        near = 0.6 * sum(weight for step, weight in zip(range(-9, 10), bell, strict=True) if column + step < 20)
        share = near / sum(bell)
        torch.testing.assert_close(painted[..., column], torch.full((1, 3, 8), share / max(share, 0.5)))
    assert not painted[..., 29:].any()


def test_what_appears_takes_on_the_tone_of_what_is_beside_it() -> None:
    """A camera that turns: strokes keep what they are, and there is no seam where new things come in."""
    now, then = (frame(number, torch.full((1, 3, 16, 60), 0.5)) for number in (1, 0))
    mask = torch.ones(1, 1, 16, 60)
    mask[..., 40:] = 0
    strokes = 0.1 * picture(16, 60, 4)
    before = Before((known(now, then, strokes + 0.7, mask),))
    painted = Fast(lambda _: strokes + 0.2)(now, before) - strokes
    steps = (painted[..., 1:] - painted[..., :-1]).abs()
    assert float(steps.max()) < 0.12  # of .475 that strokes are apart
    torch.testing.assert_close(painted[..., 50:], torch.full((1, 3, 16, 10), 0.2))


def test_what_the_frame_before_hides_comes_from_the_one_that_shows_it() -> None:
    now, then = (frame(number, torch.full((1, 3, 8, 8), 0.5)) for number in (2, 0))
    left = torch.zeros(1, 1, 8, 8)
    left[..., :4] = 1
    near = known(now, then, torch.ones(1, 3, 8, 8), left)
    far = known(now, then, torch.full((1, 3, 8, 8), 0.5), torch.ones(1, 1, 8, 8), distance=2)
    painted = Fast(lambda pixels: 0 * pixels, blend=0.6)(now, Before((near, far)))
    torch.testing.assert_close(painted[..., :4], torch.full((1, 3, 8, 4), 0.6))
    torch.testing.assert_close(painted[..., 4:], torch.full((1, 3, 8, 4), 0.3))


@given(difference=st.floats(0, 0.5), tolerance=st.floats(0.01, 0.5))
def test_frames_agree_less_the_more_they_differ(difference: float, tolerance: float) -> None:
    now, then = (frame(0, torch.full((1, 3, 8, 8), value)) for value in (0.25, 0.25 + difference))
    found = agreement(now, known(now, then, then.pixels), tolerance)
    expected = torch.tensor(-((difference / tolerance) ** 2)).exp()
    torch.testing.assert_close(found, expected.expand(1, 1, 8, 8), rtol=1e-3, atol=1e-4)


def test_strokes_come_to_rest() -> None:
    film = still(8)
    free = errors(list(sequence(film, Fast(Restless(), blend=0))))
    held = errors(list(sequence(film, Fast(Restless()))))
    assert sum(held[3:]) < 0.3 * sum(free[3:])


def test_a_painter_without_flicker_is_left_nearly_as_it_is() -> None:
    for each in sequence(still(4), Fast(lambda pixels: 1 - pixels)):
        torch.testing.assert_close(each.pixels, 1 - each.frame.pixels, rtol=0, atol=1e-3)


def test_nothing_trails_behind_what_moves() -> None:
    """A bright square that jumps further each time than flow can follow, before a wall."""
    wall = 0.3 + 0.1 * picture(64, 96, 3)
    film = []
    for number in range(5):
        pixels = wall.clone()
        pixels[:, :, 20:40, 4 + 18 * number : 16 + 18 * number] = 0.95
        film.append(frame(number, pixels))
    for each in sequence(film, Fast(lambda pixels: pixels)):
        assert float((each.pixels - each.frame.pixels).abs().max()) < 0.1
