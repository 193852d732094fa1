"""The formulas, written out again as loops; and the gradients of the VGG-19 primer against finite differences."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from gramarye import images, layers, statistics, weights
from gramarye.explain import anatomy, formulas, gradients, numerals
from gramarye.explain.section import fixed
from gramarye.vgg import VGG

SEEDS = some.integers(0, 300)


def activation(seed: int, channels: int = 3, rows: int = 2, columns: int = 4) -> torch.Tensor:
    """Before the ReLU: about half of it is below 0."""
    return torch.randn(1, channels, rows, columns, generator=fixed(seed), dtype=torch.float64)


def features(found: torch.Tensor) -> list[list[float]]:
    return found[0].flatten(1).tolist()


def gram(matrix: list[list[float]]) -> list[list[float]]:
    return [[sum(a * b for a, b in zip(one, other, strict=True)) for other in matrix] for one in matrix]


@given(SEEDS)
def test_content_and_layer_losses_by_loops(seed: int) -> None:
    found, other, painting = activation(seed), activation(seed + 1), activation(seed + 2, columns=6)
    pairs = [
        (f, p) for one, two in zip(features(found), features(other), strict=True) for f, p in zip(one, two, strict=True)
    ]
    content = formulas.content_formula("x", found, other)
    assert content.value == pytest.approx(sum((f - p) ** 2 for f, p in pairs) / 2)
    assert content.difference < 1e-12
    wanted = [[entry * 8 / 12 for entry in row] for row in gram(features(painting))]
    squares = sum(
        (g - a) ** 2
        for one, two in zip(gram(features(found)), wanted, strict=True)
        for g, a in zip(one, two, strict=True)
    )
    layer = formulas.layer_formula("x", found, [(1.0, painting)], 7)
    assert layer.value == pytest.approx(squares / (4 * 7**2 * 8**2))
    assert layer.difference < 1e-12


@given(SEEDS)
def test_the_gram_entry_is_that_in_which_they_differ_most(seed: int) -> None:
    found, painting = activation(seed, 4), activation(seed + 1, 4)
    own, wanted = gram(features(found)), gram(features(painting))
    entry = max(
        ((i, j) for i in range(4) for j in range(i)), key=lambda ij: abs(own[ij[0]][ij[1]] - wanted[ij[0]][ij[1]])
    )
    told = formulas.gram_formula("x", found, painting)
    assert told.value == pytest.approx(own[entry[0]][entry[1]])
    assert f"channels {entry[1]} and {entry[0]} of x" in told.meaning
    assert told.difference < 1e-12


def test_style_variation_and_total() -> None:
    style = formulas.style_formula({"a": (0.25, 4.0, 4.0), "b": (0.75, 8.0, 8.0)})
    assert (style.value, style.numbers) == (7.0, "0.25·4 + 0.75·8 = 7")
    assert style.mathtext_numbers == r"0.25\cdot 4 + 0.75\cdot 8 = 7"
    many = formulas.style_formula({str(place): (2.0, place, place) for place in range(9)})
    assert many.mathtext_numbers == r"0 + 2 + 4 + 6 + 8 + 10 + 12 + \ldots = 72"
    assert many.numbers.startswith("2·0 + 2·1")
    assert many.numbers.endswith("2·8 = 72")
    picture = torch.tensor([[[[0.0, 0.5], [0.25, 1.0]]]]).expand(1, 3, 2, 2).contiguous()
    variation = formulas.variation_formula(picture)
    assert variation.value == pytest.approx(3 * (0.5**2 + 0.75**2 + 0.25**2 + 0.5**2) / 4)
    assert variation.difference < 1e-6
    total = formulas.total_formula((2.0, 3.0), (0.5, 8.0), 1.0, 11.5)
    assert (total.value, total.difference) == (11.0, pytest.approx(0.5 / 11.5))
    assert total.numbers == "2·3 + 0.5·8 + 1 = 11"
    assert "smooth" not in formulas.total_formula((2.0, 3.0), (0.5, 8.0), 0.0, 10.0).text
    assert formulas.total_formula((0.0, 3.0), (0.0, 8.0), 0.0, 0.0).difference == 0
    assert formulas.total_formula((1.0, 3.0), (0.0, 8.0), 0.0, 0.0).difference == math.inf


# ---- the gradients of the VGG-19 primer ---------------------------------------------------------------------------


def slopes(loss: object, before: torch.Tensor) -> torch.Tensor:
    """Central differences of a loss of Z, entry by entry."""
    found = torch.zeros_like(before)
    for place in range(before.numel()):
        step = torch.zeros_like(before)
        step.flatten()[place] = 1e-6
        found.flatten()[place] = (loss(before + step) - loss(before - step)) / 2e-6
    return found


@given(SEEDS, some.booleans())
def test_the_papers_gradients_are_those_of_the_losses(seed: int, rectified: bool) -> None:
    """The primer's formulas against finite differences with respect to what comes before the ReLU, without autograd."""
    before, photograph, painting = (activation(seed + each)[0].flatten(1) for each in range(3))
    if rectified:
        photograph = photograph.relu()
    wanted = painting @ painting.T

    def content(z: torch.Tensor) -> torch.Tensor:
        return ((z.relu() if rectified else z) - photograph).square().sum() / 2

    def style(z: torch.Tensor) -> torch.Tensor:
        found = z.relu() if rectified else z
        return (found @ found.T - wanted).square().sum() / (4 * 3**2 * 8**2)

    found = before.relu() if rectified else before
    analytic = gradients.content_gradient(found, photograph, rectified)
    torch.testing.assert_close(analytic, slopes(content, before), atol=1e-6, rtol=1e-6)
    analytic = gradients.style_gradient(found, wanted, rectified)
    torch.testing.assert_close(analytic, slopes(style, before), atol=1e-6, rtol=1e-6)
    if rectified:
        assert not analytic[before < 0].any(), "nothing passes where the ReLU is silent"


@given(SEEDS, some.sampled_from(["relu3_1", "conv3_1", "pool2"]))
def test_they_equal_autograds_for_paintings_of_any_size(seed: int, layer: str) -> None:
    before = activation(seed, 4, 5, 5)
    painting = activation(seed + 2, 4, 3, 9)
    content, style = gradients.compare(layer, before, activation(seed + 1, 4, 5, 5), painting)
    for each in (content, style):
        assert each.layer == layer
        assert each.rectified == layer.startswith("relu")
        assert each.difference < 1e-12
        assert each.difference_single < 1e-4
        assert each.formula.difference < 1e-10
        assert each.formula.value == pytest.approx(each.largest)
        assert float(each.autograd.abs().max()) == pytest.approx(1)
        torch.testing.assert_close(each.analytic, each.autograd, atol=1e-6, rtol=0)
    silent = float((before < 0).double().mean()) if layer.startswith("relu") else 0
    assert content.silent == style.silent == pytest.approx(silent)


def test_a_wrong_gradient_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without 'if F > 0' the paper's formulas are not the gradient before the ReLU."""
    monkeypatch.setattr(gradients, "content_gradient", lambda found, photograph, _: found - photograph)
    content, _ = gradients.compare("relu3_1", activation(1), activation(2), activation(3))
    assert content.difference > 0.1


def test_they_equal_autograds_on_real_features(shared: Path) -> None:
    """VGG-19, a photograph halfway to another, a painting: every style layer, double and single precision."""
    network = VGG(weights.read(shared / "weights/vgg19_oxford_conv.safetensors", network="vgg19"))
    names = [f"content/{name}" for name in ("chelsea_cat.png", "coffee.png")] + ["style/starry_night_google.jpg"]
    cat, coffee, painting = (images.resize(images.load(shared / "images" / name).pixels, (64, 80)) for name in names)
    wanted = {name: name.replace("relu", "conv") for name in (*layers.STYLE_LAYERS, *layers.CONTENT_LAYERS)}
    with torch.no_grad():
        seen = [
            anatomy.plain_activations(network, each, wanted.values()) for each in ((cat + coffee) / 2, cat, painting)
        ]
    for name, before in wanted.items():
        for each in gradients.compare(name, *(found[before] for found in seen)):
            assert each.difference < 1e-5
            assert each.difference_single < 1e-5
            assert 0.2 < each.silent < 0.95


# ---- numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words", "tex"),
    [
        (0.0, "0", "0"),
        (13952, "13,952", "13{,}952"),
        (-0.02206, "−0.02206", "-0.02206"),
        (3318.3, "3,318", "3{,}318"),
        (55.234, "55.23", "55.23"),
        (1.786e10, "1.786·10¹⁰", r"1.786 \cdot 10^{10}"),
        (-3.5e-11, "−3.500·10⁻¹¹", r"-3.500 \cdot 10^{-11}"),
        (math.inf, "inf", "inf"),
    ],
)
def test_numbers_are_written_as_people_write_them(value: float, words: str, tex: str) -> None:
    assert numerals.in_words(value) == words
    assert numerals.in_tex(value) == tex


@given(some.floats(-1e30, 1e30, allow_nan=False).filter(lambda value: abs(value) > 1e-30))
def test_what_is_written_is_the_number(value: float) -> None:
    plain = numerals.in_words(value).replace("−", "-").replace(",", "")
    digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    mantissa, _, power = plain.partition("·10")
    read = float(mantissa) * 10.0 ** int(power.translate(digits) or 0)
    assert read == pytest.approx(value, rel=6e-4)


def test_a_gram_matrix_is_gramaryes() -> None:
    found = activation(4)
    by_hand = torch.tensor(gram(features(found)), dtype=torch.float64) / 8
    torch.testing.assert_close(statistics.gram_matrix(found)[0], by_hand)
