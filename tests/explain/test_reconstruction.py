"""Rebuilding a picture from some layers: relative errors and weights, the way, the start, what is held out."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from gramarye import weights
from gramarye.errors import ImageError, SettingsError
from gramarye.explain import reconstruction
from gramarye.explain.reconstruction import content_of, gram_of, noise, rebuild, relative_errors
from gramarye.explain.subject import Subject, bring
from gramarye.objective import Objective, Term, smoothness_terms
from gramarye.pulling import finish
from gramarye.settings import SmoothnessSettings
from gramarye.vgg import VGG
from networks import picture, random_weights
from sections import tiny

NETWORK = VGG(random_weights(), pooling="avg")
LARGE = [picture(48, 40, 1)]  # for every layer
LAYERS = ("relu1_1", "relu3_1")


def own_gram(activation: torch.Tensor) -> torch.Tensor:
    flat = activation[0].flatten(1).double()
    return flat @ flat.T / flat.shape[1]


@given(some.integers(0, 50), some.integers(51, 100))
def test_errors_are_the_norms_of_the_differences_over_those_of_the_target(seed: int, other: int) -> None:
    target, pixels = picture(24, 32, seed), picture(24, 32, other)
    seen, wanted = NETWORK(pixels, LAYERS), NETWORK(target, LAYERS)
    content = relative_errors(NETWORK, content_of(NETWORK, target, LAYERS), pixels)
    gram = relative_errors(NETWORK, gram_of(NETWORK, target, LAYERS), pixels)
    assert list(content) == list(gram) == list(LAYERS)
    for layer in LAYERS:
        difference = (seen[layer] - wanted[layer]).double().norm() / wanted[layer].double().norm()
        assert content[layer] == pytest.approx(float(difference), rel=1e-4)
        apart = (own_gram(seen[layer]) - own_gram(wanted[layer])).norm() / own_gram(wanted[layer]).norm()
        assert gram[layer] == pytest.approx(float(apart), rel=1e-3, abs=1e-5)


def test_errors_are_zero_at_the_target_and_several_terms_of_a_layer_are_averaged() -> None:
    target = picture(24, 32, 1)
    (content,), (style,) = content_of(NETWORK, target, ["relu2_1"]), gram_of(NETWORK, target, ["relu2_1"])
    assert relative_errors(NETWORK, (content, style), target) == {"relu2_1": pytest.approx(0, abs=1e-4)}
    pixels = picture(24, 32, 2)
    one, other = (relative_errors(NETWORK, [term], pixels)["relu2_1"] for term in (content, style))
    both = relative_errors(NETWORK, (content, style), pixels)["relu2_1"]
    assert both == pytest.approx(((one**2 + other**2) / 2) ** 0.5)


def test_terms_on_the_picture_itself_have_no_relative_error() -> None:
    terms = smoothness_terms(SmoothnessSettings(weight=1, box=1))
    assert len(terms) == 2
    assert relative_errors(NETWORK, terms, picture(24, 32, 1)) == {}


@pytest.mark.parametrize("of", [content_of, gram_of])
def test_relative_terms_weigh_alike_and_sum_to_one_where_there_is_nothing(of: object) -> None:
    target = picture(24, 32, 1)
    terms = of(NETWORK, target, LAYERS)
    activations = NETWORK(target, LAYERS)
    values = [float(term.weight * term.measure(torch.zeros_like(activations[term.layer]))) for term in terms]
    assert values == [pytest.approx(0.5, rel=1e-5)] * 2


def test_a_picture_is_rebuilt_and_the_way_is_told() -> None:
    target, start = picture(24, 32, 1), noise((24, 32), 0)
    terms, held_out = content_of(NETWORK, target, ["relu2_1"]), content_of(NETWORK, target, ["relu1_2"])
    found = finish(rebuild(NETWORK, terms, start, 60, name="relu2_1", held_out=held_out))
    assert found.layers == ("relu2_1",)
    assert found.error == pytest.approx(found.errors["relu2_1"])
    assert found.error == pytest.approx(relative_errors(NETWORK, terms, found.pixels)["relu2_1"])
    assert found.error < 0.3
    before = relative_errors(NETWORK, held_out, start)
    assert found.held_out["relu1_2"] < before["relu1_2"] / 2
    assert float((found.pixels - target).square().mean()) < float((start - target).square().mean()) / 2
    assert found.losses[0] == (0, pytest.approx(relative_errors(NETWORK, terms, start)["relu2_1"] ** 2, rel=1e-3))
    assert found.losses[-1][1] < found.losses[0][1] / 10
    evaluations = [evaluation for evaluation, _ in found.losses]
    assert evaluations == sorted(set(evaluations))
    assert evaluations[-1] == found.evaluations >= 60


def test_pictures_on_the_way_are_kept_at_about_the_evaluations_asked_for() -> None:
    start = noise((24, 32), 0)
    terms = content_of(NETWORK, picture(24, 32, 1), ["relu1_1"])
    found = finish(rebuild(NETWORK, terms, start, 40, keep=(0, 1, 4, 16, 64)))
    indices = [frame.index for frame in found.snapshots]
    assert indices == sorted(set(indices))
    assert indices[0] == 0
    assert torch.equal(found.snapshots[0].pixels, start)
    assert any(16 <= index < 40 for index in indices)
    assert torch.equal(found.snapshots[-1].pixels, found.pixels)
    assert found.evaluations == found.losses[-1][0]
    assert not torch.equal(found.snapshots[1].pixels, found.pixels)
    assert all(float(frame.pixels.min()) >= 0 and float(frame.pixels.max()) <= 1 for frame in found.snapshots)


def test_the_same_start_gives_the_same_picture_and_the_work_can_be_left() -> None:
    terms = gram_of(NETWORK, picture(24, 32, 1), ["relu1_1"])
    one, two = (finish(rebuild(NETWORK, terms, noise((24, 32), 3), 12)).pixels for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(noise((24, 32), 3), noise((24, 32), 4))
    work = rebuild(NETWORK, terms, noise((24, 32), 3), 12)
    fractions = [next(work), next(work)]
    work.close()
    assert 0 < fractions[0] < fractions[1] <= 1


def test_a_target_of_ones_own_may_be_rebuilt() -> None:
    values, vectors = torch.linalg.eigh(own_gram(NETWORK(picture(24, 32, 1), ["relu2_1"])["relu2_1"]))
    wanted = (values[-1] * vectors[:, -1:] @ vectors[:, -1:].T).float()  # the leading component of a style

    def measure(found: torch.Tensor) -> torch.Tensor:
        flat = found[0].float().flatten(1)
        return (flat @ flat.T / flat.shape[1] - wanted).square().sum()

    terms = reconstruction.relative(NETWORK, [Term("own", "style", "relu2_1", 1.0, measure)], picture(24, 32, 2))
    start = noise((24, 32), 0)
    found = finish(rebuild(NETWORK, terms, start, 30))
    assert found.error < relative_errors(NETWORK, terms, start)["relu2_1"] / 2


def test_smoothness_is_asked_beside_the_terms() -> None:
    target, start = picture(24, 32, 1), noise((24, 32), 0)
    terms = content_of(NETWORK, target, ["relu2_1"])
    rough, smooth = (
        finish(rebuild(NETWORK, terms, start, 20, smoothness=SmoothnessSettings(weight=weight))).pixels
        for weight in (0.0, 100.0)
    )
    assert float(smooth.diff(dim=3).square().mean()) < float(rough.diff(dim=3).square().mean()) / 4


def test_every_relu_that_was_not_asked_for_is_held_out() -> None:
    five = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    found = reconstruction.held_out_layers(NETWORK, five, LARGE)
    assert found == ("relu1_2", "relu2_2", "relu3_2", "relu3_3", "relu3_4", "relu4_2", "relu4_3", "relu4_4")
    asked = (*five, "relu_2", "conv2_2", "relu2_2")  # relu_2 is relu1_2
    found = reconstruction.held_out_layers(NETWORK, asked, LARGE)
    assert found[:3] == ("conv1_2", "relu3_2", "relu3_3")  # nothing is left of block 2


def test_layers_beyond_the_weights_or_the_size_are_not_held_out() -> None:
    whole = random_weights("vgg16")
    kept = {name: tensor for name, tensor in whole.tensors.items() if name < "conv4_2"}
    network = VGG(replace(whole, tensors=kept))
    assert reconstruction.held_out_layers(network, ["relu1_1", "relu2_1"], LARGE)[-1] == "relu4_1"
    assert reconstruction.held_out_layers(VGG(whole), ["relu1_1"], LARGE)[-1] == "relu5_3"
    small = [*LARGE, picture(48, 7, 1)]
    assert reconstruction.held_out_layers(VGG(whole), ["relu1_1"], small)[-1] == "relu3_3"


def subject(monkeypatch: pytest.MonkeyPatch, height: int = 48, width: int = 40, **changes: object) -> Subject:
    monkeypatch.setattr(weights, "load", lambda *_: random_weights())
    return bring(picture(height, width, 3), picture(height, width, 1), picture(40, 40, 2), tiny(**changes))


def test_a_narrow_picture_is_not_shrunk_below_a_position_of_the_deepest_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    shallow = {"style.layers": ("relu1_1",), "content.layers": ("relu1_2",)}
    narrow = subject(monkeypatch, 128, 32, **shallow)
    assert reconstruction.small(narrow, 32, ["relu1_1"]).size == (32, 8)
    small = reconstruction.small(narrow, 32, ["relu1_1", "relu5_1"])
    assert small.size == (64, 16)
    small.network(small.content, ["relu5_1"])


def test_the_start_is_grey_where_only_luminance_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    colored, grey = (
        reconstruction.start_of(subject(monkeypatch, color=color), (24, 32)) for color in ("style", "luminance")
    )
    assert float((colored[:, 0] - colored[:, 1]).abs().max()) > 0
    assert torch.allclose(grey[:, 0], grey[:, 1])
    assert abs(float(colored.mean()) - 0.5) < 0.01
    assert abs(float(colored.std()) - reconstruction.NOISE) < 0.005


def test_unknown_layers_and_pictures_that_are_too_small_are_refused() -> None:
    with pytest.raises(SettingsError, match="relu9_1"):
        content_of(NETWORK, picture(24, 32, 1), ["relu9_1"])
    with pytest.raises(ImageError, match="at least 16 px"):
        gram_of(NETWORK, picture(12, 32, 1), ["relu5_1"])


def test_the_gradient_of_relative_terms_agrees_with_finite_differences() -> None:
    network = VGG(random_weights(), pooling="avg", dtype=torch.float64).double()
    target = picture(8, 8, 1).double()
    objective = Objective((*content_of(network, target, ["relu2_1"]), *gram_of(network, target, ["relu1_2"])))
    start = (noise((8, 8), 0).double() + 0.1 * picture(8, 8, 5).double()).requires_grad_()

    def total(pixels: torch.Tensor) -> torch.Tensor:
        return objective.total(objective.values(network(pixels, objective.layers)))

    (gradient,) = torch.autograd.grad(total(start), start)
    direction = torch.randn(start.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    step = 1e-6
    with torch.no_grad():
        slope = (total(start + step * direction) - total(start - step * direction)) / (2 * step)
    assert float((gradient * direction).sum()) == pytest.approx(float(slope), rel=1e-5)
