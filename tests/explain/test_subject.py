"""What is explained: the painting with its frames, smaller copies, and pictures that were brought along."""

from __future__ import annotations

import pytest
import torch

from gramarye import images, transfer, weights
from gramarye.errors import ImageError, SettingsError
from gramarye.explain.subject import Subject, bring, paint
from gramarye.presets import preset
from gramarye.pulling import finish
from gramarye.seeing import measure_pixels
from gramarye.settings import Settings
from networks import picture, random_weights

SMALL = preset("default").with_(size=48, steps=8, **{"scales.smallest": 24, "scales.count": 2, "scales.shares": ""})


@pytest.fixture(autouse=True)
def _random_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "load", lambda *_: random_weights())


def painted(settings: Settings = SMALL) -> Subject:
    return finish(paint(picture(48, 40, 1), picture(40, 40, 2), settings))


def test_frames_are_the_pictures_on_the_way() -> None:
    subject = painted()
    assert [frame.index for frame in subject.frames] == [0, 1, 2, 4, 8]
    assert torch.equal(subject.frames[-1].pixels, subject.run.pixels)
    painting = transfer.prepare(picture(48, 40, 1), picture(40, 40, 2), SMALL)
    assert torch.equal(subject.frames[0].pixels, painting.pixels.clamp(0, 1))
    for step in painting.steps():
        if step.index == 2:
            assert torch.equal(subject.frames[2].pixels, step.pixels.clamp(0, 1))


@pytest.mark.parametrize("steps", [0, 1, 7])
def test_the_last_frame_is_there_once(steps: int) -> None:
    frames = painted(SMALL.with_(steps=steps)).frames
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))
    assert indices[-1] == steps


def test_frames_and_fractions_where_a_step_takes_several_evaluations() -> None:
    settings = SMALL.with_(steps=9, **{"scales.count": 1, "optimizer.line_search": "strong-wolfe"})
    work = paint(picture(48, 40, 1), picture(40, 40, 2), settings)
    done = []
    while True:
        try:
            done.append(next(work))
        except StopIteration as end:
            subject = end.value
            break
    assert done == sorted(done)
    assert 0 < done[-1] <= 1
    indices = [frame.index for frame in subject.frames]
    assert indices == sorted(set(indices))
    assert indices[:2] == [0, subject.run.history[0].index]
    assert subject.run.history[-1].index == indices[-1] >= 9


def test_what_is_seen_is_what_was_painted_in_float32() -> None:
    subject = painted(SMALL.with_(precision="bfloat16"))
    assert subject.painting.network.dtype == torch.bfloat16
    assert subject.network.dtype == torch.float32
    rows = measure_pixels(subject.network, subject.objective, subject.result)
    exact = transfer.measure(subject.run.pixels, picture(48, 40, 1), picture(40, 40, 2), SMALL)
    assert [row["name"] for row in rows] == [row["name"] for row in subject.run.terms]
    assert sum(row["weighted"] for row in rows) == pytest.approx(exact.total, rel=1e-5)
    assert painted(SMALL.with_(precision="float32")).network.dtype == torch.float32


def test_every_step_is_watched() -> None:
    subject = painted()
    names = {term.name for term in subject.objective.terms if term.weight}
    assert all(step.gradients.keys() == names for step in subject.run.history)


def test_sizes() -> None:
    subject = painted()
    assert subject.size == (48, 40)
    assert subject.content.shape == subject.result.shape == (1, 3, 48, 40)
    assert subject.style is subject.styles[0]
    assert subject.shrunk(48) is subject
    small = subject.shrunk(36)
    assert small.size == (36, 30)
    assert small.result.shape == (1, 3, 36, 30)
    assert max(small.styles[0].shape[2:]) == 36
    again = subject.painting.objective_of(subject.network, (36, 30))
    one, other = (measure_pixels(subject.network, each, small.result) for each in (small.objective, again))
    assert one == other


def test_a_smaller_copy_stays_one_that_the_network_can_see() -> None:
    subject = finish(paint(picture(40, 120, 1), picture(40, 40, 2), SMALL.with_(size=120, steps=1)))
    small = subject.shrunk(32)
    assert min(small.size) >= 16  # relu5_1 has a stride of 16
    measure_pixels(small.network, small.objective, small.result)


@pytest.mark.parametrize("init", ["content", "noise", "grey", "fast"])
def test_the_start_is_known(init: str) -> None:
    subject = painted(SMALL.with_(init=init, **{"scales.count": 1}))
    torch.testing.assert_close(subject.start, subject.frames[0].pixels)
    assert torch.equal(subject.start, subject.content) == (init == "content")


def test_the_start_is_known_at_every_size() -> None:
    subject = painted(SMALL.with_(**{"scales.count": 1}))
    assert subject.shrunk(36).start.shape == (1, 3, 36, 30)
    own = finish(paint(picture(48, 40, 1), picture(40, 40, 2), SMALL, start=picture(48, 40, 7)))
    assert own.start.shape == (1, 3, 48, 40)
    torch.testing.assert_close(images.resize(own.start, (24, 20)), own.frames[0].pixels, atol=0.05, rtol=0)


def test_a_picture_that_is_brought_along_stays_as_it_is() -> None:
    own = picture(44, 37, 5)
    subject = bring(own, picture(48, 40, 1), picture(40, 40, 2), SMALL)
    assert torch.equal(subject.result, own)
    assert subject.content.shape == own.shape
    assert (subject.run, subject.frames) == (None, ())
    assert torch.equal(subject.start, subject.content)
    assert max(subject.styles[0].shape[2:]) == 40


def test_a_picture_of_another_shape_is_refused_in_one_line() -> None:
    with pytest.raises(ImageError, match="shape of the photograph; got 48×48") as caught:
        bring(picture(48, 48, 5), picture(48, 40, 1), picture(40, 40, 2), SMALL)
    assert "\n" not in str(caught.value)


def test_masks_are_refused_before_anything_is_painted() -> None:
    masks = {"content_mask": {"sky": torch.ones(1, 3, 48, 40)}, "style_masks": [{"sky": None}]}
    with pytest.raises(SettingsError, match="masks"):
        next(paint(picture(48, 40, 1), picture(40, 40, 2), SMALL, **masks))
    with pytest.raises(SettingsError, match="masks"):
        bring(picture(48, 40, 3), picture(48, 40, 1), picture(40, 40, 2), SMALL, **masks)


def test_where_only_luminance_is_painted_the_result_is_seen_in_grey() -> None:
    subject = painted(SMALL.with_(color="luminance"))
    for seen in (subject.result, subject.content, subject.start):
        torch.testing.assert_close(seen[:, 0], seen[:, 2])
    assert not torch.equal(subject.run.pixels[:, 0], subject.run.pixels[:, 2])
