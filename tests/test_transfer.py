"""The schedule, the painting, the result and its recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gramarye
from gramarye import images, transfer, weights
from gramarye import painting as painting_module
from gramarye.errors import SettingsError
from gramarye.presets import preset
from gramarye.settings import Settings
from networks import picture, random_weights

SMALL = preset("default").with_(size=48, steps=6, **{"scales.smallest": 24, "scales.count": 2, "scales.shares": ""})


@pytest.fixture(autouse=True)
def random_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A random network instead of the embedded one: nothing here depends on what it has learned."""
    monkeypatch.setattr(weights, "load", lambda *_: random_weights())


def test_same_seed_same_pixels_other_seed_others() -> None:
    noisy = SMALL.with_(init="noise")
    one, two, other = (
        gramarye.stylize(picture(48, 40, 1), picture(40, 40, 2), noisy.with_(seed=seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one.pixels, two.pixels)
    assert not torch.equal(one.pixels, other.pixels)


@pytest.mark.parametrize("init", ["content", "matched", "noise", "black", "grey", "style"])
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


def test_the_weights_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(weights, "load", lambda *words: asked.append(words) or random_weights())
    pictures = picture(48, 40, 1), picture(40, 40, 2)
    gramarye.stylize(*pictures, SMALL.with_(steps=1), weights_file="mine.safetensors")
    next(gramarye.stylize_steps(*pictures, SMALL, weights_file=Path("other.pth")))
    gramarye.stylize(*pictures, SMALL.with_(steps=1))
    assert [file for _, file in asked] == ["mine.safetensors", Path("other.pth"), None]


def test_no_painting_is_an_error() -> None:
    with pytest.raises(SettingsError, match="painting"):
        transfer.prepare(picture(48, 40, 1), [], SMALL)


def test_a_start_of_ones_own_wins_and_is_in_the_recipe(tmp_path: object) -> None:
    path = tmp_path / "start.png"
    images.save(picture(48, 40, 9), path)
    result = gramarye.stylize(picture(48, 40, 1), picture(40, 40, 2), SMALL.with_(steps=0), start=path)
    assert torch.allclose(result.pixels, images.load(path).pixels)
    assert result.recipe["settings"]["init"] == "file"
    assert result.recipe["start"] == {"name": "start.png", "path": str(path), "sha256": images.sha256_of(path)}
    with pytest.raises(SettingsError, match="init=file"):
        transfer.prepare(picture(48, 40, 1), picture(40, 40, 2), SMALL.with_(init="file"))


def test_zero_steps_do_not_blur_the_start() -> None:
    photograph = picture(48, 40, 1)
    result = gramarye.stylize(photograph, picture(40, 40, 2), SMALL.with_(steps=0, init="content"))
    assert torch.equal(result.pixels, photograph)


def test_a_size_begins_with_the_details_that_the_one_before_was_too_small_for() -> None:
    photograph = picture(48, 40, 1)
    still = SMALL.with_(init="content", **{"optimizer.name": "adam", "optimizer.learning_rate": 1e-9})
    plain, half, whole = (
        gramarye.stylize(photograph, picture(40, 40, 2), still.with_(**{"scales.detail": detail})).pixels
        for detail in (0, 0.5, 1)
    )
    small = images.resize(photograph, (24, 20))
    assert torch.allclose(plain, images.resize(small, (48, 40)).clamp(0, 1), atol=1e-4)
    assert torch.allclose(whole, photograph, atol=1e-4)
    assert float((half - photograph).norm()) < 0.6 * float((plain - photograph).norm())
    dark = gramarye.stylize(photograph, picture(40, 40, 2), still.with_(init="black", **{"scales.detail": 1}))
    assert float(dark.pixels.max()) < 1e-4  # a start that knows nothing of the photograph stays one


@pytest.mark.parametrize("color", ["luminance", "histogram", "pca", "cholesky", "after"])
def test_the_photographs_colours_are_kept(color: str) -> None:
    photograph, style = 0.3 + 0.2 * picture(48, 40, 1), 0.6 + 0.4 * picture(40, 40, 2)
    painting = transfer.prepare(photograph, style, SMALL.with_(color=color, precision="float32"))
    for step in painting.steps():
        if color == "luminance":
            assert torch.equal(step.pixels[:, 0], step.pixels[:, 1])
    result = painting.result()
    as_before = photograph.mean((2, 3)) - photograph.mean()
    assert torch.allclose(result.pixels.mean((2, 3)) - result.pixels.mean(), as_before, atol=0.06)
    measured = gramarye.measure(result.pixels, photograph, style, SMALL.with_(color=color))
    assert measured.total == pytest.approx(result.total, rel=1e-3)


def test_the_mix_must_have_a_weight_for_each_painting() -> None:
    with pytest.raises(SettingsError, match="each of the 1 paintings; got 2"):
        transfer.prepare(picture(48, 40, 1), picture(40, 40, 2), SMALL.with_(**{"style.mix": "1,2"}))


def test_the_mix_decides_which_painting_counts() -> None:
    content, one, other = picture(48, 40, 1), picture(40, 40, 2), picture(40, 40, 3)
    mixed = gramarye.stylize(content, [one, other], SMALL.with_(**{"style.mix": "0,1"}))
    alone = gramarye.stylize(content, other, SMALL)
    assert torch.allclose(mixed.pixels, alone.pixels, atol=2e-3)


def test_a_style_of_a_given_size_is_that_at_full_size_and_never_enlarged() -> None:
    painting = transfer.prepare(picture(48, 40, 1), picture(96, 64, 2), SMALL.with_(**{"style.size": 72}))
    assert painting.paintings_at((48, 40))[0].shape == (1, 3, 72, 48)
    assert painting.paintings_at((24, 20))[0].shape == (1, 3, 36, 24)
    large = transfer.prepare(picture(48, 40, 1), picture(96, 64, 2), SMALL.with_(**{"style.size": 500}))
    assert large.paintings_at((48, 40))[0].shape == (1, 3, 96, 64)


@pytest.mark.parametrize("source", ["edges", "lost"])
def test_detail_weighs_the_content_terms_alone(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(painting_module, "DRAFT_STEPS", 6)
    knobs = {"content.detail": 5, "content.detail_from": source}
    painting = transfer.prepare(picture(48, 40, 1), picture(40, 40, 2), SMALL.with_(**knobs))
    weights_of_places = painting.detail_at(painting.photograph_at((48, 40)))
    assert weights_of_places.shape == (1, 1, 48, 40)
    assert 1 <= float(weights_of_places.min()) < float(weights_of_places.max()) <= 6
    for _ in painting.steps():
        pass
    assert len(painting.history) == SMALL.steps
    assert torch.isfinite(painting.result().pixels).all()


def test_the_recipe_tells_where_masks_came_from(tmp_path: object) -> None:
    path = tmp_path / "mask.png"
    mask = Image.new("RGB", (40, 48), "red")
    mask.paste("blue", (0, 0, 20, 48))
    mask.save(path)
    inputs = {"content_mask": path, "style_masks": [{"red": None, "blue": None}], "region_content": {"red": 2}}
    result = gramarye.stylize(picture(48, 40, 1), picture(40, 40, 2), SMALL.with_(steps=0), **inputs)
    assert result.recipe["content_mask"]["path"] == str(path)
    assert result.recipe["style_masks"] == [{"regions": {"red": None, "blue": None}}]
    assert result.recipe["region_content"] == {"red": 2}
    plain = gramarye.stylize(picture(48, 40, 1), picture(40, 40, 2), SMALL.with_(steps=0)).recipe
    assert (plain["content_mask"], plain["style_masks"], plain["region_content"], plain["start"]) == (
        None,
        [],
        {},
        None,
    )
