"""Scores: nothing at the picture itself, more with more noise, blind to what must not matter, as their formulas say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from torch import Tensor

from gramarye import blur, images, recolor, scores, statistics, weights
from gramarye.errors import SettingsError
from gramarye.scores import SCORES, measures, scorer
from gramarye.settings import Settings
from gramarye.vgg import VGG
from networks import picture, random_weights

SEEDS = st.integers(0, 1000)
few = settings(max_examples=10)


@pytest.fixture(scope="module")
def networks() -> dict[str, VGG]:
    return {"vgg19-lite": VGG(random_weights(seed=1)), "other": VGG(random_weights(seed=2))}


def noisy(image: Tensor, amount: float, seed: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (image + amount * torch.randn(image.shape, generator=generator)).clamp(0, 1)


def textured(height: int, width: int, seed: int) -> Tensor:
    return noisy(picture(height, width, seed), 0.1, seed)


def activation(seed: int, channels: int = 6, side: int = 5) -> Tensor:
    return torch.rand(1, channels, side, side, generator=torch.Generator().manual_seed(seed))


# ---- all of them ---------------------------------------------------------------------------------


def test_the_photograph_itself_keeps_everything(networks: dict[str, VGG]) -> None:
    photograph = textured(48, 64, 1)
    found = scores.score(photograph, photograph, textured(48, 48, 2), networks)
    for name, value in found.items():
        if scores.record(name).kind in ("content", "detail"):
            assert value == pytest.approx(1.0 if name == "ssim" else 0.0, abs=1e-6)
        else:
            assert value > 0.001


def test_the_painting_itself_has_its_style(networks: dict[str, VGG]) -> None:
    painting = textured(48, 64, 2)
    found = scores.score(painting, textured(48, 64, 1), painting, networks)
    for name, value in found.items():
        if scores.record(name).kind in ("style", "colour"):
            assert value == pytest.approx(0.0, abs=1e-4)


def test_every_score_gets_worse_with_growing_noise(networks: dict[str, VGG]) -> None:
    photograph = painting = textured(48, 64, 1)
    score = scores.Scorer(photograph, painting, networks)
    rows = [score(noisy(photograph, amount)) for amount in (0.0, 0.05, 0.1, 0.2, 0.4)]
    for name in rows[0]:
        sign = 1 if scores.record(name).better == "lower" else -1
        values = [sign * row[name] for row in rows]
        assert values == sorted(values), name
        assert values[-1] > values[0] + 1e-3, name


def test_the_names_are_those_of_the_records_with_the_network_that_looks(networks: dict[str, VGG]) -> None:
    found = scores.score(textured(48, 48, 1), textured(48, 48, 2), textured(48, 48, 3), networks)
    assert list(dict.fromkeys(name.partition("@")[0] for name in found)) == list(SCORES)
    for name, record in SCORES.items():
        ways = [f"{name}@{network}" for network in networks] if record.layers else [name]
        assert set(ways) <= found.keys()
        assert scores.record(ways[-1]) is record
    assert len(found) == 2 * 7 + 3


def test_a_scorer_gives_what_a_single_score_does_at_every_size(networks: dict[str, VGG]) -> None:
    photograph, painting = textured(60, 80, 1), textured(90, 70, 2)
    score = scores.Scorer(photograph, painting, networks)
    for height, width in ((48, 64), (60, 80), (48, 64)):
        result = textured(height, width, 3)
        assert score(result) == scores.score(result, photograph, painting, networks)


def test_photograph_and_painting_are_taken_at_the_size_of_the_result(networks: dict[str, VGG]) -> None:
    photograph, painting, result = textured(96, 128, 1), textured(128, 128, 2), textured(48, 64, 3)
    small = images.resize(photograph, (48, 64)), images.resize(painting, (64, 64))
    assert scores.score(result, photograph, painting, networks) == scores.score(result, *small, networks)
    enlarged = images.resize(painting, (40, 40))  # a small painting stays small
    assert scorer._Target(photograph, enlarged, {}, (48, 64)).painting is enlarged


def test_a_result_is_not_changed_and_nothing_is_recorded(networks: dict[str, VGG]) -> None:
    result = textured(48, 48, 3).requires_grad_()
    before = result.detach().clone()
    scores.score(result, textured(48, 48, 1), textured(48, 48, 2), networks)
    assert torch.equal(before, result)
    assert result.grad is None


# ---- one by one ----------------------------------------------------------------------------------


@given(SEEDS, SEEDS)
def test_self_similarity_divergence_is_its_formula(first: int, second: int) -> None:
    found, photograph = activation(first), activation(second)
    x, p = (each[0].flatten(1).double().numpy() for each in (found, photograph))
    length = np.mean([np.dot(p[:, k], p[:, k]) for k in range(p.shape[1])])
    expected = 0.0
    for k in range(p.shape[1]):
        wanted, similar = (np.exp(each.T @ each[:, k] / length) for each in (p, x))
        wanted, similar = wanted / wanted.sum(), similar / similar.sum()
        expected += float(np.sum(wanted * np.log(wanted / similar))) / p.shape[1]
    assert float(measures.self_similarity_divergence(found, photograph)) == pytest.approx(expected, abs=1e-6)


@few
@given(SEEDS, st.floats(0.01, 100), SEEDS)
def test_self_similarity_divergence_is_the_same_in_other_units_and_orders(
    first: int, factor: float, order: int
) -> None:
    found, photograph = activation(first), activation(first + 1)
    before = float(measures.self_similarity_divergence(found, photograph))
    shuffled = torch.randperm(25, generator=torch.Generator().manual_seed(order))
    moved = [(factor * each.flatten(2)[:, :, shuffled]).unflatten(2, (5, 5)) for each in (found, photograph)]
    assert float(measures.self_similarity_divergence(*moved)) == pytest.approx(before, rel=1e-3, abs=1e-6)


def test_self_similarity_of_large_maps_costs_no_more(networks: dict[str, VGG]) -> None:
    found, photograph = activation(1, 3, 96), activation(2, 3, 96)
    small = [torch.nn.functional.avg_pool2d(each, 3) for each in (found, photograph)]
    large = float(measures.self_similarity_divergence(found, photograph))
    assert large == pytest.approx(float(measures.self_similarity_divergence(*small)), rel=1e-4)


@few
@given(st.floats(0, 1), st.floats(0, 1))
def test_structural_similarity_of_plain_pictures_is_its_formula(one: float, other: float) -> None:
    plain = [torch.full((1, 3, 16, 16), value) for value in (one, other)]
    expected = (2 * one * other + 0.01**2) / (one**2 + other**2 + 0.01**2)
    assert float(measures.structural_similarity(*plain)) == pytest.approx(expected, abs=2e-3)


@few
@given(SEEDS, SEEDS)
def test_structural_similarity_and_colour_are_symmetric(first: int, second: int) -> None:
    one, other = textured(24, 32, first), textured(24, 32, second)
    for distance in (measures.structural_similarity, measures.color_distance):
        assert float(distance(one, other)) == pytest.approx(float(distance(other, one)), abs=1e-5)


@given(SEEDS)
def test_relative_difference_is_one_for_nothing(seed: int) -> None:
    wanted = activation(seed)
    assert float(measures.relative_difference(torch.zeros_like(wanted), wanted)) == pytest.approx(1.0, rel=1e-5)
    assert float(measures.relative_difference(3 * wanted, wanted)) == pytest.approx(4.0, rel=1e-5)


@few
@given(SEEDS)
def test_the_histogram_of_colours_is_its_formula(seed: int) -> None:
    image = torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(seed))
    expected = np.zeros((48, 48))
    for red, green, blue in image[0].flatten(1).T.double().numpy() + 0.02:
        amount = np.sqrt(red**2 + green**2 + blue**2)
        u, v = ((np.log(each / green) / 4 + 1) / 2 * 47 for each in (red, blue))
        for i in range(48):
            for j in range(48):
                expected[i, j] += amount * max(0, 1 - abs(u - i)) * max(0, 1 - abs(v - j))
    found = measures.log_chroma_histogram(image).reshape(48, 48).numpy()
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-9)


@few
@given(SEEDS, SEEDS)
def test_colour_does_not_see_where_colours_are_nor_how_many_pixels(first: int, order: int) -> None:
    image, other = textured(12, 16, first), textured(12, 16, first + 1)
    shuffled = torch.randperm(192, generator=torch.Generator().manual_seed(order))
    moved = image.flatten(2)[:, :, shuffled].unflatten(2, (12, 16))
    doubled = image.repeat_interleave(2, 2).repeat_interleave(2, 3)
    for same in (moved, doubled):
        assert float(measures.color_distance(same, other)) == pytest.approx(
            float(measures.color_distance(image, other)), abs=1e-6
        )


def test_colour_tells_grey_from_coloured_and_hardly_dark_from_light() -> None:
    image = picture(32, 32, 4) * 0.6 + 0.3
    other_light = float(measures.color_distance(image * 0.8, image))
    no_colour = float(measures.color_distance(recolor.grey(image), image))
    assert no_colour > 2 * other_light > 0
    red, blue = (torch.tensor(each).view(1, 3, 1, 1).expand(1, 3, 8, 8) for each in ([1.0, 0, 0], [0, 0, 1.0]))
    assert float(measures.color_distance(red, blue)) == pytest.approx(1.0)


def test_the_more_a_picture_is_blurred_the_more_detail_is_lost() -> None:
    photograph = textured(64, 64, 3)
    lost = [float(measures.detail_lost(photograph, blur.gaussian(photograph, each))) for each in (0, 0.7, 1.5, 4)]
    assert lost[0] == pytest.approx(0.0, abs=1e-6)
    assert lost == sorted(lost)
    assert lost[-1] < 1


def test_what_has_no_detail_loses_none() -> None:
    plain = torch.full((1, 3, 32, 32), 0.4)
    assert float(measures.detail_lost(plain, textured(32, 32, 1))) == 0


@few
@given(SEEDS, st.floats(0.1, 100), SEEDS)
def test_style_is_relative_and_does_not_see_where_things_are(seed: int, factor: float, order: int) -> None:
    painting, found = activation(seed), activation(seed + 1)
    shuffled = torch.randperm(25, generator=torch.Generator().manual_seed(order))
    moved = found.flatten(2)[:, :, shuffled].unflatten(2, (5, 5))
    for statistic in ("gram", "moments"):
        before = float(scorer._Relative.of(statistic, painting)(found))
        after = float(scorer._Relative.of(statistic, factor * painting)(factor * moved))
        assert after == pytest.approx(before, rel=2e-2 if statistic == "moments" else 1e-3)  # moments add 10⁻⁵
    for statistic in ("gram", "moments", "sliced-w", "w2"):
        score = scorer._Relative.of(statistic, painting)
        assert float(score(painting)) == pytest.approx(0.0, abs=1e-4)
        zeros = tuple(map(torch.zeros_like, statistics.STATISTICS[statistic].summarise(painting)))
        nothing = statistics.STATISTICS[statistic].compare(zeros, score.target) / score.nothing
        assert float(nothing) == pytest.approx(1.0, rel=1e-6)


@few
@given(SEEDS)
def test_relative_gram_and_frechet_are_their_formulas(seed: int) -> None:
    painting, found = activation(seed, 4, 7), activation(seed + 1, 4, 6)
    y, x = (each[0].flatten(1).double().numpy() for each in (painting, found))
    a, g = (each @ each.T / each.shape[1] for each in (y, x))
    gram = np.sum((g - a) ** 2) / np.sum(a**2)
    assert float(scorer._Relative.of("gram", painting)(found)) == pytest.approx(gram, rel=1e-4)
    (mu, c), (nu, d) = [(each.mean(1), np.cov(each, bias=True) + 1e-4 * np.eye(4)) for each in (x, y)]
    distance = np.sum((mu - nu) ** 2) + np.trace(c + d - 2 * sqrtm(c @ d).real)
    expected = distance / (np.sum(nu**2) + np.trace(d))
    assert float(scorer._Relative.of("w2", painting)(found)) == pytest.approx(expected, rel=1e-2, abs=1e-4)


# ---- the networks --------------------------------------------------------------------------------


def test_a_score_looks_through_the_published_network_whatever_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"vgg19-lite": random_weights(), "vgg19": random_weights("vgg19")}
    monkeypatch.setattr(weights, "load", lambda name: known["vgg19-lite" if name == "auto" else name])
    monkeypatch.setattr(weights, "find", Path)
    painted = Settings().with_(**{"network.pooling": "avg", "network.padding": "reflect", "precision": "bfloat16"})
    for name, order in (("auto", ["vgg19-lite", "vgg19"]), ("vgg19", ["vgg19", "vgg19-lite"])):
        found = scores.networks(painted.with_(**{"network.name": name}))
        assert list(found) == order
        assert {(each.pooling, each.padding, each.dtype) for each in found.values()} == {
            ("max", "zeros", torch.float32)
        }
    monkeypatch.setattr(weights, "find", lambda name: None)
    assert list(scores.networks(painted)) == ["vgg19-lite"]


# ---- what may be compared ------------------------------------------------------------------------

BASE = Settings().with_(**{"network.name": "vgg19-lite", "style.layers": ("relu1_1", "relu3_1")})


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("total", {"style.distance": "l1"}, "style.distance differs (l2, l1): losses are then different quantities"),
        ("total", {"style.statistic": "moments"}, "style.statistic differs (gram, moments)"),
        ("total", {"content.weight": 5}, "content.weight differs (1, 5)"),
        ("total", {"smoothness.weight": 5}, "smoothness.weight differs (0, 5)"),
        ("total", {"network.name": "vgg19"}, "network.name differs (vgg19-lite, vgg19)"),
        ("total", {"network.pooling": "max"}, "network.pooling differs"),
        ("total", {"balance": "raw"}, "balance differs"),
        ("total", {"size": 256}, "size differs (512, 256)"),
        ("style", {"style.layers": "relu1_1"}, "style.layers differs (relu1_1 + relu3_1, relu1_1)"),
        ("style-gram@vgg19-lite", {"size": 256}, "size differs (512, 256): the score then sees other things"),
        ("ssim", {"size": 256}, "size differs"),
        ("total", {"steps": 9, "init": "noise", "optimizer.name": "adam", "shifting.fraction": 0.9, "seed": 3}, None),
        ("content", {"style.weight": 5, "style.distance": "l1"}, None),
        ("style", {"content.layers": "relu2_2"}, None),
        ("cfsd@vgg19", {"style.statistic": "w2", "style.weight": 9, "network.name": "vgg19", "steps": 3}, None),
        ("colour", {"size": 256}, None),
    ],
)
def test_what_may_be_ranked(name: str, change: dict[str, object], told: str | None) -> None:
    found = scores.comparable(name, [BASE, BASE.with_(**change), BASE])
    assert (found is None) if told is None else (found is not None and told in found)


def test_paintings_with_the_same_settings_may_be_ranked_by_anything() -> None:
    assert all(scores.comparable(name, [BASE, BASE]) is None for name in ("total", "content", "style", *SCORES))


@pytest.mark.parametrize(
    ("name", "layers", "held_out"),
    [
        ("style-gram", ("relu1_1", "relu3_1"), True),
        ("style-gram", ("relu1_1", "conv2_2"), False),  # its ReLU is looked at
        ("style-gram", ("conv_2",), False),  # conv1_2, counted from the input
        ("style-gram@vgg19-lite", ("pool1",), False),  # what is left of relu1_2
        ("style-gram@vgg19", ("pool1",), True),  # another network
        ("style-held-out", ("relu2_2", "relu3_1", "relu4_1"), True),
        ("style-held-out", ("relu3_3",), False),
        ("cfsd", ("relu1_1", "relu3_1"), False),
        ("ssim", ("relu1_1",), True),
    ],
)
def test_what_is_held_out(name: str, layers: tuple[str, ...], held_out: bool) -> None:
    assert scores.held_out(name, BASE.with_(**{"style.layers": layers})) is held_out


def test_an_unknown_score_is_told_the_nearest() -> None:
    with pytest.raises(SettingsError, match="unknown score; got 'style-grim@vgg19'"):
        scores.record("style-grim@vgg19")
