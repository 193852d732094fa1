"""What each layer keeps of the photograph: the errors, the section, and the papers' claim on a photograph."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from gramarye import demo, images, weights
from gramarye.errors import ImageError, SettingsError
from gramarye.explain import content
from gramarye.explain.content import Content, keep, matched_error, pixel_error
from gramarye.explain.reconstruction import noise
from gramarye.explain.subject import bring
from gramarye.pulling import finish
from gramarye.vgg import VGG
from networks import picture, random_weights
from sections import tiny


@cache
def section(pooling: str = "avg", precision: str = "float32") -> Content:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "load", lambda *_: random_weights())
        patch.setattr(content, "SIDES", {"quick": 32})
        patch.setattr(content, "EVALUATIONS", {"quick": 12})
        settings = tiny(precision=precision, **{"network.pooling": pooling})
        subject = bring(picture(48, 40, 3), picture(48, 40, 1), picture(40, 40, 2), settings)
        return finish(content.explain(subject, "quick"))


@given(some.integers(0, 100), some.integers(101, 200))
def test_the_matched_error_is_that_of_the_best_line_for_each_colour(seed: int, other: int) -> None:
    pixels, photograph = picture(12, 10, seed), picture(12, 10, other)
    squares = []
    for color in range(3):
        x, p = (each[0, color].flatten().double().numpy() for each in (pixels, photograph))
        rows = np.stack([x, np.ones_like(x)], axis=1)
        squares.append((p - rows @ np.linalg.lstsq(rows, p, rcond=None)[0]) ** 2)
    assert matched_error(pixels, photograph) == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-6, abs=1e-7)


@given(some.integers(0, 100), some.floats(0.2, 0.9), some.floats(0, 0.1))
def test_brightness_contrast_and_tint_do_not_count_in_the_matched_error(seed: int, gain: float, offset: float) -> None:
    photograph = picture(12, 10, seed)
    tinted = photograph * gain * torch.tensor([1.0, 0.8, 0.6]).view(1, 3, 1, 1) + offset
    assert matched_error(tinted, photograph) < 1e-5
    assert pixel_error(tinted, photograph) > 1e-3


@given(some.integers(0, 100), some.integers(0, 100))
def test_the_matched_error_is_never_above_the_others(seed: int, other: int) -> None:
    pixels, photograph = picture(12, 10, seed), picture(12, 10, other)
    matched = matched_error(pixels, photograph)
    assert 0 <= matched <= content.deviation_of(photograph) + 1e-7
    assert matched <= pixel_error(pixels, photograph) + 1e-7


def test_a_plain_surface_has_the_deviation_as_its_matched_error() -> None:
    photograph = picture(12, 10, 1)
    deviation = float(photograph[0].double().flatten(1).var(1, correction=0).mean().sqrt())
    assert content.deviation_of(photograph) == pytest.approx(deviation, rel=1e-5)
    assert matched_error(torch.full_like(photograph, 0.3), photograph) == pytest.approx(deviation, rel=1e-5)


def test_the_section_has_every_layer_some_before_the_relu_and_the_other_pooling() -> None:
    found = section()
    assert [kept.layer for kept in found.layers] == list(content.LAYERS)
    assert {kept.pooling for kept in found.layers} == {"avg"}
    assert [(kept.layer, kept.pooling) for kept in found.before_relu] == [("conv2_1", "avg"), ("conv4_1", "avg")]
    assert [(kept.layer, kept.pooling) for kept in found.other_pooling] == [("relu2_1", "max"), ("relu4_1", "max")]
    assert found.photograph.shape == (1, 3, 32, 27)
    for kept in (*found.layers, *found.before_relu, *found.other_pooling):
        assert kept.rebuilt.pixels.shape == found.photograph.shape
        assert kept.pixel_error == pytest.approx(pixel_error(kept.rebuilt.pixels, found.photograph))
        assert kept.course[-1] == (kept.rebuilt.evaluations, pytest.approx(kept.pixel_error))
        assert [index for index, _ in kept.course] == [frame.index for frame in kept.rebuilt.snapshots]


def test_every_picture_begins_with_the_same_noise_and_the_poolings_differ() -> None:
    found = section()
    starts = [kept.rebuilt.snapshots[0].pixels for kept in (*found.layers, *found.before_relu, *found.other_pooling)]
    assert all(torch.equal(start, starts[0]) for start in starts)
    assert not torch.equal(found.kept_by("relu2_1").rebuilt.pixels, found.other_pooling[0].rebuilt.pixels)


def test_max_pooling_is_compared_with_average_pooling_also_in_half_precision() -> None:
    found = section("max", "bfloat16")
    assert {kept.pooling for kept in found.layers} == {"max"}
    assert {kept.pooling for kept in found.other_pooling} == {"avg"}
    assert found.layers[0].rebuilt.error < 0.9


def test_the_findings_say_what_the_numbers_say() -> None:
    found = section()
    errors = {layer: 0.01 * place for place, layer in enumerate(content.LAYERS, start=1)}
    risen = replace(found, layers=tuple(replace(kept, pixel_error=errors[kept.layer]) for kept in found.layers))
    assert risen.rises
    assert "an error of 2.6 of 255 levels; from relu5_1, with 13." in risen.findings[0]
    assert "rises at every step" in risen.findings[0]
    fallen = replace(risen, layers=(*risen.layers[:3], replace(risen.layers[3], pixel_error=0.02), risen.layers[4]))
    assert not fallen.rises
    assert "from relu3_1 to relu4_1 it falls" in fallen.findings[0]
    for last, error, said in (
        (0.195, 0.05, "went from 51 to 50 levels: what is missing"),
        (0.1, 0.05, "to 26 levels: with patience"),
        (0.195, 0.2, "to 50 levels: with patience"),
    ):
        deep = risen.layers[-1]
        deep = replace(deep, course=((0, 0.4), (10, 0.2), (20, last)), rebuilt=replace(deep.rebuilt, error=error))
        easy = [replace(kept, rebuilt=replace(kept.rebuilt, error=0.01)) for kept in risen.layers[:-1]]
        assert said in replace(risen, layers=(*easy, deep)).findings[2]
    assert "With max pooling" in found.findings[-1]
    assert len(replace(found, before_relu=(), other_pooling=()).findings) == 3


def test_the_numbers_are_plain_data_without_pictures() -> None:
    numbers = section().numbers()
    assert numbers["layers"][0]["rebuilt"]["losses"][0][0] == 0
    assert "photograph" not in numbers
    assert "pixels" not in numbers["layers"][0]["rebuilt"]


def test_any_layer_may_be_asked_and_a_wrong_one_is_refused() -> None:
    network = VGG(random_weights(), pooling="avg")
    photograph, start = picture(24, 32, 1), noise((24, 32), 0)
    kept = finish(keep(network, photograph, "pool2", start, 8))
    assert (kept.layer, kept.pooling, kept.rebuilt.layers) == ("pool2", "avg", ("pool2",))
    with pytest.raises(SettingsError, match="relu6_1"):
        finish(keep(network, photograph, "relu6_1", start, 8))
    with pytest.raises(ImageError, match="relu5_1 needs a picture of at least 16 px"):
        finish(keep(network, picture(12, 32, 1), "relu5_1", noise((12, 32), 0), 8))


def claim(path: Path) -> list[float]:
    """The errors in the pixels from relu1_1, relu3_1 and relu5_1 of the embedded network, at 64 px."""
    network = VGG(weights.read(weights.embedded()), pooling="avg", padding="replicate-first")
    pixels = images.load(path).pixels
    photograph = images.resize(pixels, images.fitted_size((pixels.shape[2], pixels.shape[3]), 64))
    start = noise((photograph.shape[2], photograph.shape[3]), 0)
    layers = ("relu1_1", "relu3_1", "relu5_1")
    return [finish(keep(network, photograph, layer, start, 60)).pixel_error for layer in layers]


def test_the_deeper_the_layer_the_less_of_the_photograph_is_kept() -> None:
    errors = claim(demo.photograph())
    assert errors[0] < 0.02
    assert 3 * errors[0] < errors[1]
    assert 1.5 * errors[1] < errors[2]


def test_so_it_is_with_a_photograph_from_elsewhere(shared: Path) -> None:
    errors = claim(shared / "images" / "content" / "kodim23.png")
    assert 3 * errors[0] < errors[1]
    assert 1.5 * errors[1] < errors[2]
