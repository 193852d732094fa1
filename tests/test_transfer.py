"""The schedule, the painting, the result and its recipe."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import gramarye
from gramarye import images, transfer, weights
from gramarye.errors import SettingsError
from gramarye.presets import preset
from gramarye.settings import ScalesSettings, Settings
from networks import picture, random_weights

SMALL = preset("default").with_(size=48, steps=6, **{"scales.smallest": 24, "scales.count": 2, "scales.shares": ""})


@pytest.fixture(autouse=True)
def random_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A random network instead of the embedded one: nothing here depends on what it has learned."""
    monkeypatch.setattr(weights, "load", lambda *_: random_weights())


@given(st.integers(32, 3000), st.integers(32, 3000), st.integers(0, 1000), st.integers(1, 6), st.floats(1.1, 4))
def test_schedule(height: int, width: int, steps: int, count: int, factor: float) -> None:
    settings = ScalesSettings(count=count, factor=factor, shares=())
    scales = transfer.schedule((height, width), steps, settings)
    assert scales[-1].size == (height, width)
    assert sum(scale.evaluations for scale in scales) == steps
    sides = [max(scale.size) for scale in scales]
    assert sides == sorted(sides)
    assert len(scales) <= count
    for scale in scales[:-1]:
        assert max(scale.size) >= settings.smallest
        assert scale.size[0] / scale.size[1] == pytest.approx(height / width, rel=0.6 / min(scale.size))


def test_schedule_gives_the_shares_asked_for() -> None:
    scales = transfer.schedule((768, 512), 200, ScalesSettings())
    assert [(scale.size, scale.evaluations) for scale in scales] == [
        ((192, 128), 100),
        ((384, 256), 60),
        ((768, 512), 40),
    ]
    with pytest.raises(SettingsError, match="one share for each of the 2 scales"):
        transfer.schedule((768, 512), 200, ScalesSettings(count=2))


def test_same_seed_same_pixels_other_seed_others() -> None:
    noisy = SMALL.with_(init="noise")
    one, two, other = (
        gramarye.stylize(picture(48, 40, 1), picture(40, 40, 2), noisy.with_(seed=seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one.pixels, two.pixels)
    assert not torch.equal(one.pixels, other.pixels)


@pytest.mark.parametrize("init", ["content", "matched", "noise", "black"])
def test_every_start_paints(init: str) -> None:
    result = gramarye.stylize(picture(48, 40, 1), picture(40, 40, 2), SMALL.with_(init=init))
    assert result.pixels.shape == (1, 3, 48, 40)
    assert torch.isfinite(result.pixels).all()
    assert result.pixels.min() >= 0
    assert result.pixels.max() <= 1
    first = [step.total for step in result.history if step.scale == 0]
    assert min(first[1:]) < first[0]


def test_inputs_may_be_paths_arrays_tensors_and_pil_images(tmp_path: object) -> None:
    tensor = picture(40, 48, 1)
    array = images.to_uint8(tensor)
    pil = Image.fromarray(array)
    path = tmp_path / "picture.png"
    pil.save(path)
    results = [gramarye.stylize(each, array, SMALL).pixels for each in (array, pil, path, str(path))]
    for other in results[1:]:
        assert torch.equal(results[0], other)
    gramarye.stylize(tensor, np.asarray(array, dtype=np.uint16) * 257, SMALL)


def test_steps_stream_over_all_scales_and_the_result_can_be_taken_at_any_time() -> None:
    painting = transfer.prepare(picture(48, 40, 1), picture(40, 40, 2), SMALL)
    seen = []
    for step in painting.steps():
        seen.append((step.index, step.scale, tuple(step.pixels.shape[2:])))
        if step.index == 2:
            break
    assert seen == [(1, 0, (24, 20)), (2, 0, (24, 20))]
    early = painting.result()
    assert early.pixels.shape == (1, 3, 48, 40)
    assert len(early.history) == 2


def test_result_and_ledger_agree_with_the_settings() -> None:
    result = gramarye.stylize(picture(48, 40, 1), picture(40, 40, 2), SMALL)
    assert len(result.history) == 6
    names = [term["name"] for term in result.terms]
    assert {row["term"] for row in result.ledger} == set(names)
    for step in result.history:
        rows = [row for row in result.ledger if row["step"] == step.index]
        assert sum(row["weighted"] for row in rows) == pytest.approx(step.total, rel=1e-4)
    assert result.total == pytest.approx(sum(term["weighted"] for term in result.terms))


def test_saved_picture_carries_its_recipe(tmp_path: object) -> None:
    content, style, out = tmp_path / "c.png", tmp_path / "s.png", tmp_path / "o.png"
    images.save(picture(48, 40, 1), content)
    images.save(picture(40, 40, 2), style)
    result = gramarye.stylize(content, [style, style], SMALL)
    result.save(out)
    recipe = images.read_recipe(out)
    assert Settings.from_dict(recipe["settings"]) == SMALL
    assert recipe["content"] == {"name": "c.png", "path": str(content), "sha256": images.sha256_of(content)}
    assert len(recipe["styles"]) == 2
    assert recipe["total"] == pytest.approx(result.total)


def test_alpha_of_the_photograph_is_put_back(tmp_path: object) -> None:
    array = np.dstack([images.to_uint8(picture(40, 40, 1)), np.full((40, 40), 128, np.uint8)])
    result = gramarye.stylize(array, picture(40, 40, 2), SMALL)
    assert result.image.mode == "RGBA"
    assert result.image.getchannel("A").getextrema() == (128, 128)


def test_style_is_shrunk_never_enlarged() -> None:
    painting = transfer.prepare(picture(48, 40, 1), picture(96, 64, 2), SMALL)
    assert painting.paintings_at((24, 20))[0].shape == (1, 3, 24, 16)
    assert painting.paintings_at((480, 400))[0].shape == (1, 3, 96, 64)


def test_measure_equals_the_result_in_float32() -> None:
    exact = SMALL.with_(precision="float32")
    content, style = picture(48, 40, 1), picture(40, 40, 2)
    result = gramarye.stylize(content, style, exact)
    measured = gramarye.measure(result.pixels, content, style, exact)
    assert measured.size == (48, 40)
    assert measured.total == pytest.approx(result.total, rel=1e-5)


def test_zero_steps_give_the_start() -> None:
    result = gramarye.stylize(picture(48, 40, 1), picture(40, 40, 2), SMALL.with_(steps=0, init="black"))
    assert float(result.pixels.max()) == 0


def test_no_painting_is_an_error() -> None:
    with pytest.raises(SettingsError, match="painting"):
        transfer.prepare(picture(48, 40, 1), [], SMALL)
