"""Optical flow and its mask: exact warps, true flows recovered, cuts told from flashes and fast motion, files."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gramarye import demo, images
from gramarye.errors import ImageError, MissingExtraError
from gramarye.video import flow as motion
from gramarye.video.measure import endpoint_error
from pictures import painting

SIDES = st.integers(1, 33)
SHIFTS = st.tuples(st.integers(-40, 40), st.integers(-40, 40))


def constant(height: int, width: int, dx: float, dy: float) -> torch.Tensor:
    return torch.tensor([dx, dy], dtype=torch.float32).view(1, 2, 1, 1).expand(1, 2, height, width).contiguous()


def textured(height: int, width: int, seed: int = 0) -> torch.Tensor:
    """Clouds with detail at every size, so that every place looks different."""
    generator = torch.Generator().manual_seed(seed)
    layers = [
        torch.nn.functional.interpolate(
            torch.rand(1, 3, -(-height // cell) + 2, -(-width // cell) + 2, generator=generator) / (1 + 8 / cell),
            scale_factor=cell,
            mode="bicubic",
        )[:, :, :height, :width]
        for cell in (4, 8, 16, 32)
    ]
    total = sum(layers)
    return (total - total.amin()) / (total.amax() - total.amin())


def window(scene: torch.Tensor, top: int, left: int, height: int, width: int) -> torch.Tensor:
    return scene[:, :, top : top + height, left : left + width].contiguous()


# ---- warping ---------------------------------------------------------------------------------------


@given(SIDES, SIDES, st.integers(1, 4))
def test_no_motion_leaves_everything_as_it_is(height: int, width: int, channels: int) -> None:
    picture = painting(height, width, channels)
    assert torch.equal(motion.warp(picture, torch.zeros(1, 2, height, width)), picture)


@given(SIDES, SIDES, SHIFTS)
def test_whole_pixels_are_moved_exactly_and_the_border_goes_on(height: int, width: int, shift: tuple[int, int]) -> None:
    picture, (dx, dy) = painting(height, width), shift
    rows = (torch.arange(height) + dy).clamp(0, height - 1)
    columns = (torch.arange(width) + dx).clamp(0, width - 1)
    warped = motion.warp(picture, constant(height, width, dx, dy))
    assert torch.equal(warped, picture[:, :, rows][:, :, :, columns])


def test_whole_pixels_are_exact_in_large_pictures_too() -> None:
    picture = painting(3, 4099, 1)
    assert torch.equal(motion.warp(picture, constant(3, 4099, 1, 0))[..., :-1], picture[..., 1:])


@given(SIDES, SIDES, st.integers(0, 1000))
def test_between_pixels_it_is_what_grid_sample_gives(height: int, width: int, seed: int) -> None:
    picture = painting(height, width, seed=seed).double()
    flow = 12 * (torch.rand(1, 2, height, width, generator=torch.Generator().manual_seed(seed)).double() - 0.5)
    x = (flow[:, 0] + torch.arange(width)) * 2 / max(width - 1, 1) - int(width > 1)
    y = (flow[:, 1] + torch.arange(height)[:, None]) * 2 / max(height - 1, 1) - int(height > 1)
    grid = torch.stack([x, y], dim=-1)
    expected = torch.nn.functional.grid_sample(picture, grid, padding_mode="border", align_corners=True)
    torch.testing.assert_close(motion.warp(picture, flow), expected, atol=1e-9, rtol=0)


def test_a_warp_has_a_gradient() -> None:
    picture = painting(5, 7).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda each: motion.warp(each, constant(5, 7, 0.3, -1.6).double()), picture)


# ---- flow ------------------------------------------------------------------------------------------


@settings(max_examples=12)
@given(st.integers(-6, 6), st.integers(-6, 6), st.sampled_from([(96, 131), (121, 97), (70, 200)]))
def test_a_constant_shift_is_recovered(dx: int, dy: int, size: tuple[int, int]) -> None:
    """A window of the same scene, moved; what comes in at the border is left out."""
    height, width = size
    scene = textured(height + 16, width + 16)
    first, second = window(scene, 8, 8, height, width), window(scene, 8 - dy, 8 - dx, height, width)
    inside = torch.zeros(1, 1, height, width)
    inside[..., 10:-10, 10:-10] = 1
    found = motion.flow(first, second)
    assert endpoint_error(found, constant(height, width, dx, dy), inside) < 0.1


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (17, 5), (31, 45), (65, 33), (16, 300)])
def test_frames_of_any_size_have_a_flow(size: tuple[int, int]) -> None:
    frame = painting(*size)
    found = motion.flow(frame, frame)
    assert found.shape == (1, 2, *size)
    torch.testing.assert_close(found, torch.zeros_like(found), atol=0.05, rtol=0)


def test_a_flow_is_the_same_with_any_number_of_threads() -> None:
    import cv2

    first, second = textured(150, 211), textured(150, 211, seed=1).roll(3, 3)
    before, found = cv2.getNumThreads(), []
    try:
        for threads in (1, 2, 3, 2):
            cv2.setNumThreads(threads)
            found.append(motion.flow(first, second))
    finally:
        cv2.setNumThreads(before)
    assert all(torch.equal(each, found[0]) for each in found)


def test_small_motion_is_found_to_a_small_part_of_a_pixel() -> None:
    """A scene filmed at five times the size, moved by fifths of a pixel."""
    scene = textured(600, 760, seed=2)
    first, second = (
        torch.nn.functional.avg_pool2d(window(scene, 20 + 2 * number, 20 + 3 * number, 480, 640), 5)
        for number in (0, 1)
    )
    inside = torch.zeros(1, 1, 96, 128)
    inside[..., 8:-8, 8:-8] = 1
    assert endpoint_error(motion.flow(first, second), constant(96, 128, -0.6, -0.4), inside) < 0.05


@pytest.mark.parametrize("name", ["DOUBLED", "FINE"])
def test_every_size_of_frames_has_its_way_to_a_flow(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As they are searched: at twice the size, at their own, alone."""
    scene = textured(140, 160)
    first, second = window(scene, 8, 8, 96, 131), window(scene, 6, 12, 96, 131)
    inside = torch.zeros(1, 1, 96, 131)
    inside[..., 10:-10, 10:-10] = 1
    finest = motion.flow(first, second)
    monkeypatch.setattr(motion, "DOUBLED", 0)
    monkeypatch.setattr(motion, name, 0)
    found = motion.flow(first, second)
    assert not torch.equal(found, finest)
    assert endpoint_error(found, constant(96, 131, -4, 2), inside) < 0.3


def test_frames_of_two_sizes_have_none() -> None:
    with pytest.raises(ImageError, match=r"one size; got 9 × 8 and 8 × 9"):
        motion.flow(painting(8, 9), painting(9, 8))


def test_without_opencv_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r"gramarye\[video\]"):
        motion.flow(painting(8, 9), painting(8, 9))


# ---- what is visible -------------------------------------------------------------------------------


@given(SIDES, SIDES)
def test_a_still_film_is_visible_everywhere(height: int, width: int) -> None:
    still = torch.zeros(1, 2, height, width)
    assert bool((motion.visible(still, still) == 1).all())


@given(st.integers(8, 33), st.integers(8, 33), st.integers(-7, 7), st.integers(-7, 7))
def test_flows_that_agree_are_visible_wherever_they_stay_inside(height: int, width: int, dx: int, dy: int) -> None:
    rows, columns = torch.arange(height)[:, None] - dy, torch.arange(width) - dx
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    mask = motion.visible(constant(height, width, dx, dy), constant(height, width, -dx, -dy))
    assert torch.equal(mask, inside[None, None].float())


def test_the_mask_is_for_taking_what_was_before_to_the_present_frame() -> None:
    """A block moves 8 to the right over a still ground: seen anew is the ground that it leaves, not where it comes."""
    forward, backward = torch.zeros(1, 2, 40, 60), torch.zeros(1, 2, 40, 60)
    forward[0, 0, 10:30, 20:36] = 8  # then: columns 20 to 35
    backward[0, 0, 10:30, 28:44] = -8  # now: columns 28 to 43
    mask = motion.visible(forward, backward)[0, 0]
    assert not mask[12:28, 20:27].any()  # uncovered: what was there before is the block
    assert bool((mask[10:30, 28:44] == 1).all())  # the block itself, to its edges
    assert bool((mask[12:28, :18] == 1).all())
    assert bool((mask[12:28, 46:] == 1).all())
    assert bool((mask[:8] == 1).all())


def test_the_threshold_is_the_formulas() -> None:
    """|w̃ + ŵ|² ≤ .01·(|w̃|² + |ŵ|²) + 2: of 10 px one way, from 8.12 to 12.08 back."""
    back = constant(9, 40, 10, 0)
    for length, seen in ((12.0, 1), (12.2, 0), (8.2, 1), (8.0, 0)):
        assert motion.visible(constant(9, 40, -length, 0), back)[0, 0, 4, 20] == seen


@given(st.integers(5, 20), st.integers(5, 20), st.integers(0, 99))
def test_a_difference_is_the_mean_around_a_place_in_the_channel_that_differs_most(
    height: int, width: int, seed: int
) -> None:
    now, then = (torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed + k)) for k in (0, 1))
    found = motion.difference(now, then, torch.zeros(1, 2, height, width))
    row, column = height // 2, width // 2
    around = (..., slice(row - 2, row + 3), slice(column - 2, column + 3))
    apart = (now - then).abs().amax(1)
    expected = torch.maximum(apart[around].mean(), apart[0, row, column] / 2)
    torch.testing.assert_close(found[0, 0, row, column], expected)


def test_what_looks_the_same_is_taken_where_flow_is_not_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flows that do not lead home: taken is what is inside the frame and differs by less than ALIKE."""
    flows = [constant(20, 40, 10, 0), constant(20, 40, 10, 0)]
    assert not motion.visible(*flows).any()
    monkeypatch.setattr(motion, "flow", lambda *_: flows[0])
    grey = torch.full((1, 3, 20, 40), 0.5)
    for apart, taken in ((0.0, 30), (0.06, 30), (0.08, 0)):
        back, mask = motion.matched(grey, grey + apart)
        assert back is flows[0]
        assert bool((mask[..., :taken] == 1).all())
        assert not mask[..., taken:].any()


# ---- Sintel, whose flow is known -------------------------------------------------------------------


def sintel(shared: Path, name: str) -> Path:
    return shared / "images" / "video" / f"sintel_clean_{name}"


@pytest.mark.parametrize(("name", "error", "precision", "recall"), [("easy", 0.4, 0.1, 0.2), ("medium", 1.8, 0.4, 0.6)])
def test_flow_and_occlusion_of_sintel(shared: Path, name: str, error: float, precision: float, recall: float) -> None:
    folder = sintel(shared, name)
    now, then = (images.load(folder / f"frame_000{number}.png").pixels for number in (2, 3))
    hidden, invalid = (
        images.load(folder / f"{kind}_0002.png").pixels[:, :1] > 0.5 for kind in ("occlusion", "invalid")
    )
    backward, forward = motion.flow(now, then), motion.flow(then, now)
    truth = motion.read_flo(folder / "flow_0002_to_0003.flo")
    assert endpoint_error(backward, truth, (~invalid).float()) < error
    unseen = motion.visible(forward, backward) == 0
    right = (unseen & hidden).sum()
    assert right / unseen.sum() > precision
    assert right / hidden.sum() > recall
    refused, seen = motion.matched(now, then)[1] == 0, ~hidden & ~invalid
    assert (refused & seen).sum() < 0.7 * (unseen & seen).sum()


# ---- cuts ------------------------------------------------------------------------------------------


@cache
def shots() -> list[torch.Tensor]:
    """The bundled photograph and paintings, at one size."""
    files = [demo.photograph(), *demo.styles()]
    return [images.resize(images.load(path).pixels, (144, 192)) for path in files]


def test_one_picture_after_another_is_a_cut() -> None:
    for first, second in pairwise([*shots(), torch.zeros(1, 3, 144, 192), shots()[0]]):
        assert motion.is_cut(first, second)
        assert motion.is_cut(second, first)


def test_stillness_light_and_grain_are_no_cuts() -> None:
    for index, shot in enumerate(shots()):
        assert not motion.is_cut(shot, shot)
        assert not motion.is_cut(shot, (1.3 * shot + 0.2).clamp(0, 1))  # a flash
        assert not motion.is_cut((1.3 * shot + 0.2).clamp(0, 1), shot)
        assert not motion.is_cut(shot, 0.4 * shot)  # a lamp goes out
        assert not motion.is_cut(shot, (shot + 0.1 * (painting(144, 192, seed=index) - 0.5)).clamp(0, 1))


def test_fast_motion_is_no_cut() -> None:
    """A fifth of the width at once, and a turn to what was beside it."""
    for shot in shots():
        large = images.resize(shot, (216, 288))
        assert not motion.is_cut(window(large, 30, 20, 144, 192), window(large, 34, 58, 144, 192))
        assert not motion.is_cut(shot, window(large, 36, 48, 144, 192))  # half as near


def test_a_flash_alone_and_motion_alone_would_each_be_taken_for_a_cut() -> None:
    """Why both are asked: colours change as much in a flash, and flow fails as much when all is mirrored."""
    for shot in shots():
        assert motion.colour_distance(shot, (1.3 * shot + 0.2).clamp(0, 1)) > motion.CUT_COLOURS
        assert not motion.is_cut(shot, shot.flip(3))
    assert max(motion.unexplained(shot, shot.flip(3)) for shot in shots()) > motion.CUT_UNEXPLAINED


def test_cuts_of_films_joined_are_found_and_no_others(shared: Path) -> None:
    films = [sorted(sintel(shared, name).glob("frame_*.png")) for name in ("easy", "medium")]
    frames = [images.load(path).pixels for path in (*films[0], *films[1])]
    cuts = [motion.is_cut(*pair) for pair in pairwise(frames)]
    assert cuts == [number == len(films[0]) - 1 for number in range(len(cuts))]


# ---- files and pictures ----------------------------------------------------------------------------


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 1000))
def test_a_flow_is_read_as_it_was_written(tmp_path_factory: object, height: int, width: int, seed: int) -> None:
    path = tmp_path_factory.mktemp("flow") / "a.flo"
    flow = 100 * (torch.rand(1, 2, height, width, generator=torch.Generator().manual_seed(seed)) - 0.5)
    motion.write_flo(path, flow)
    assert torch.equal(motion.read_flo(path), flow)
    values = np.fromfile(path, "<f4")
    assert values[0] == np.float32(202021.25)
    assert list(np.fromfile(path, "<i4")[1:3]) == [width, height]
    np.testing.assert_array_equal(values[3:].reshape(height, width, 2), flow[0].permute(1, 2, 0).numpy())


@given(st.binary(max_size=60), st.booleans())
def test_what_is_no_flow_is_refused_in_a_line(tmp_path_factory: object, data: bytes, begins: bool) -> None:
    path = tmp_path_factory.mktemp("flow") / "a.flo"
    path.write_bytes(b"PIEH" * begins + data)
    with suppress(ImageError):
        assert 12 + 4 * motion.read_flo(path).numel() == path.stat().st_size


def test_flows_that_are_cut_short_or_not_finite_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.flo"
    motion.write_flo(path, torch.zeros(1, 2, 4, 5))
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole + b"\0", whole[:12], b"", whole[:4] + b"\xff" * 8 + whole[12:]):
        path.write_bytes(damaged)
        with pytest.raises(ImageError, match=r"whole Middlebury"):
            motion.read_flo(path)
    path.write_bytes(whole[:-4] + np.float32(np.nan).tobytes())
    with pytest.raises(ImageError, match="finite"):
        motion.read_flo(path)
    with pytest.raises(ImageError):
        motion.read_flo(tmp_path / "none.flo")
    with pytest.raises(ImageError):
        motion.write_flo(tmp_path / "no" / "a.flo", torch.zeros(1, 2, 4, 5))


def test_the_colour_wheel_is_middleburys() -> None:
    """Right is red, down yellow, left cyan-blue, up violet; nothing is white, too long is darker, unknown is black."""
    flow = torch.tensor([[3.0, 0], [0, 3], [-3, 0], [0, -3], [0, 0], [6, 0], [2e9, 0], [1.5, 0]]).T.reshape(1, 2, 1, 8)
    colours = motion.as_picture(flow, longest=3)[0, :, 0].T
    torch.testing.assert_close(colours[0], torch.tensor([1.0, 0, 0]), atol=1e-5, rtol=0)
    assert colours[1, 0] > 0.8
    assert colours[1, 1] > 0.8
    assert colours[1, 2] < 0.1
    assert colours[2, 2] > 0.8
    assert colours[2, 0] < 0.1
    assert colours[3, 2] > 0.8
    assert torch.equal(colours[4], torch.ones(3))
    torch.testing.assert_close(colours[5], torch.tensor([0.75, 0, 0]), atol=1e-5, rtol=0)
    assert torch.equal(colours[6], torch.zeros(3))
    torch.testing.assert_close(colours[7], torch.tensor([1, 0.5, 0.5]), atol=1e-5, rtol=0)


@given(SIDES, SIDES, st.integers(0, 1000))
def test_every_flow_has_a_picture(height: int, width: int, seed: int) -> None:
    flow = 20 * (torch.rand(1, 2, height, width, generator=torch.Generator().manual_seed(seed)) - 0.5)
    picture = motion.as_picture(flow)
    assert picture.shape == (1, 3, height, width)
    assert float(picture.min()) >= 0
    assert float(picture.max()) <= 1
    assert torch.equal(motion.as_picture(torch.zeros_like(flow)), torch.ones(1, 3, height, width))


def test_the_veil_lies_over_what_is_not_seen() -> None:
    picture, mask = painting(6, 8), torch.ones(1, 1, 6, 8)
    mask[..., :4] = 0
    veiled = motion.veiled(picture, mask)
    assert torch.equal(veiled[..., 4:], picture[..., 4:])
    assert float((veiled[..., :4] - picture[..., :4]).abs().mean()) > 0.1
