"""One frame after the other: what a painter is given, what is measured, cuts, and going on with a film."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gramarye.errors import ImageError, SettingsError
from gramarye.video import flow as motion
from gramarye.video.film import Frame
from gramarye.video.sequence import LONG, Before, Earlier, Painted, moved, sequence
from networks import picture

HEIGHT, WIDTH, STEP = 64, 96, 2


def film(count: int = 6, seed: int = 1, first: int = 0) -> list[Frame]:
    """A detailed picture that moves to the left by STEP pixels a frame."""
    generator = torch.Generator().manual_seed(seed)
    whole = torch.rand(1, 3, HEIGHT // 4, (WIDTH + 80) // 4, generator=generator)
    whole = torch.nn.functional.interpolate(whole, (HEIGHT, WIDTH + 80), mode="bicubic", align_corners=False).clamp(
        0, 1
    )
    parts = [whole[:, :, :, STEP * number : STEP * number + WIDTH].clone() for number in range(count)]
    return [Frame(first + number, Fraction(first + number, 24), pixels) for number, pixels in enumerate(parts)]


class Watching:
    """A painter that leaves the frame as it is, and remembers what it was given."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, tuple[int, ...]]] = []

    def __call__(self, frame: Frame, before: Before | None) -> Tensor:
        distances = tuple(each.distance for each in before.earlier) if before else ()
        self.seen.append((frame.index, distances))
        return frame.pixels


def following(frame: Frame, before: Before | None) -> Tensor:
    """Half of the frame, half of the painting before."""
    return torch.lerp(frame.pixels.flip(1), before.earlier[0].painted(), 0.5) if before else frame.pixels.flip(1)


def test_a_painter_sees_as_many_frames_as_there_are_in_the_range() -> None:
    painter = Watching()
    assert len(list(sequence(film(), painter, range=LONG))) == 6
    assert painter.seen == [(0, ()), (1, (1,)), (2, (1, 2)), (3, (1, 2)), (4, (1, 2, 4)), (5, (1, 2, 4))]


def test_a_range_that_leaves_out_the_frame_before_is_measured_all_the_same() -> None:
    painter = Watching()
    painted = list(sequence(film(4), painter, range=(2,)))
    assert [distances for _, distances in painter.seen] == [(), (), (2,), (2,)]
    assert all(each.warp_error is not None for each in painted[1:])


def test_what_is_before_lies_where_the_present_frame_has_it() -> None:
    frames = film(3)
    found: list[Before] = []

    def keep(frame: Frame, before: Before | None) -> Tensor:
        found.extend([before] if before else [])
        return 1 - frame.pixels

    list(sequence(frames, keep, range=(1, 2)))
    near, far = found[-1].earlier
    for earlier, distance in ((near, 1), (far, 2)):
        assert torch.equal(earlier.frame.pixels, frames[2 - distance].pixels)
        assert torch.equal(earlier.pixels, 1 - frames[2 - distance].pixels)
        assert float(earlier.flow[:, 0].median()) == pytest.approx(STEP * distance, abs=0.2)
        seen = earlier.mask > 0
        assert float(seen.float().mean()) > 0.7
        filmed = motion.warp(earlier.frame.pixels, earlier.flow)
        difference = (filmed - frames[2].pixels).abs() * seen
        assert float(difference.sum() / (3 * seen.sum())) < 0.02
        assert float((earlier.painted() - 1 + filmed).abs().mean()) < 0.01


def test_what_is_moved_again_and_again_stays_sharp() -> None:
    """Half a pixel to and fro, sixteen times."""
    once = film(1)[0].pixels
    picture, blurred = once, once
    for number in range(16):
        flow = torch.full((1, 2, HEIGHT, WIDTH), 0.5 if number % 2 else -0.5)
        picture, blurred = moved(picture, flow), motion.warp(blurred, flow)
    inside = slice(8, -8)
    errors = [float((each - once)[..., inside, inside].abs().mean()) for each in (picture, blurred)]
    assert errors[0] < 0.75 * errors[1]


def test_what_does_not_move_stays_as_it_is() -> None:
    pixels = film(1)[0].pixels
    torch.testing.assert_close(moved(pixels, torch.zeros(1, 2, HEIGHT, WIDTH)), pixels, rtol=0, atol=2e-5)
    for whole in (-3, 5):
        flow = torch.full((1, 2, HEIGHT, WIDTH), float(whole))
        torch.testing.assert_close(moved(pixels, flow), motion.warp(pixels, flow), rtol=0, atol=1e-4)


def test_the_errors_of_a_film_that_is_left_as_it_is_are_its_own() -> None:
    first, *others = sequence(film(4), Watching())
    assert (first.warp_error, first.source_warp_error, first.seen, first.cut) == (None, None, 0.0, False)
    for each in others:
        assert each.warp_error == each.source_warp_error
        assert each.warp_error is not None
        assert 0 <= each.warp_error < 0.002
        assert 0.7 < each.seen <= 1
        assert each.moment.index == each.frame.index


def test_at_a_cut_nothing_is_before() -> None:
    frames = film(3) + [Frame(3 + each.index, each.time, 0.3 * each.pixels.flip(1) ** 3) for each in film(3, seed=9)]
    painter = Watching()
    painted = list(sequence(frames, painter, range=LONG))
    assert [each.cut for each in painted] == [False, False, False, True, False, False]
    assert [distances for _, distances in painter.seen] == [(), (1,), (1, 2), (), (1,), (1, 2)]
    assert painted[3].warp_error is None


def test_frames_are_pulled_one_by_one() -> None:
    taken: list[int] = []

    def source() -> Iterator[Frame]:
        for frame in film(5):
            taken.append(frame.index)
            yield frame

    painted = sequence(source(), Watching())
    assert taken == []
    assert isinstance(next(painted), Painted)
    next(painted)
    assert taken == [0, 1]


def test_flows_are_computed_once_for_each_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []
    found = motion.flow

    def counting(first: Tensor, second: Tensor) -> Tensor:
        calls.append((id(first), id(second)))
        return found(first, second)

    monkeypatch.setattr(motion, "flow", counting)
    list(sequence(film(5), following, range=(1, 2)))
    assert len(calls) == len(set(calls)) == 2 * (4 + 3)  # there and back


@pytest.mark.parametrize("at", [1, 2, 4])
def test_a_film_painted_in_two_parts_is_the_same_film(at: int) -> None:
    frames = film(6)
    whole = [each.pixels for each in sequence(frames, following, range=LONG)]
    past = list(zip(frames[:at], whole[:at], strict=True))
    for kept in (past, past[-4:]):
        rest = [each.pixels for each in sequence(frames[at:], following, range=LONG, past=kept)]
        assert all(torch.equal(*pair) for pair in zip(whole[at:], rest, strict=True))


@pytest.mark.parametrize("range", [(), (0,), (1, -2), (65,)])
def test_a_range_that_is_none_is_refused(range: tuple[int, ...]) -> None:
    with pytest.raises(SettingsError, match="frames back"):
        next(sequence(film(1), Watching(), range=range))


def test_sizes_that_differ_are_refused() -> None:
    other = Frame(1, Fraction(1, 24), picture(64, 64, 1))
    with pytest.raises(ImageError, match="96 × 64 and 64 × 64"):
        list(sequence([*film(1), other], Watching()))
    with pytest.raises(ImageError, match="painted frame"):
        list(sequence(film(1), lambda frame, before: frame.pixels[:, :, ::2]))


@given(masks=st.lists(st.lists(st.floats(0, 1), min_size=6, max_size=6), min_size=1, max_size=4))
def test_every_place_goes_by_the_nearest_frame_that_shows_it(masks: list[list[float]]) -> None:
    frame, nothing = film(1)[0], torch.zeros(1, 2, 2, 3)
    seen = [torch.tensor(mask).view(1, 1, 2, 3) for mask in masks]
    before = Before(tuple(Earlier(1 + k, frame, frame.pixels, nothing, mask) for k, mask in enumerate(seen)))
    found = before.masks()
    assert torch.equal(found[0], seen[0])
    assert all(float(each.min()) >= 0 for each in found)
    assert float(sum(found).max()) <= 1 + 1e-6
    for number, each in enumerate(found):
        covered = sum(seen[:number], torch.zeros(1, 1, 2, 3))
        torch.testing.assert_close(each, (seen[number] - covered).clamp_min(0))
