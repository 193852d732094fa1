"""Eigenvectors of Gram matrices: what they hold, as maps and as targets."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from brought import STYLE, double
from gramarye.explain.components import components, leading, leading_terms, needed_for, projected, spectrum
from gramarye.explain.features import PICTURES
from gramarye.objective import style_terms
from gramarye.settings import StyleSettings
from gramarye.statistics import gram_matrix

STYLES = StyleSettings(layers=("relu1_1", "relu2_1"))


def random_activation(seed: int, channels: int = 6) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(channels, channels, generator=generator, dtype=torch.float64)
    values = torch.randn(1, channels, 5, 7, generator=generator, dtype=torch.float64)
    return torch.einsum("ij,bjhw->bihw", mixing, values)


@given(seed=st.integers(0, 10_000), rank=st.integers(1, 5))
def test_leading_components_are_the_nearest_matrix_of_their_rank(seed, rank) -> None:
    gram = gram_matrix(random_activation(seed))[0]
    cut = leading(gram, rank)
    values = np.linalg.eigvalsh(gram.numpy())[::-1]
    assert np.linalg.matrix_rank(cut.numpy(), tol=1e-9 * values[0]) == rank
    assert float((gram - cut).norm()) == pytest.approx(math.sqrt((values[rank:] ** 2).sum()), rel=1e-6)


def test_all_components_are_the_matrix_itself() -> None:
    gram = gram_matrix(random_activation(1))[0]
    assert torch.equal(leading(gram, 0), gram)
    assert torch.equal(leading(gram, 6), gram)


@given(values=st.lists(st.floats(0.01, 100), min_size=1, max_size=20), share=st.floats(0.05, 0.95))
def test_so_many_are_needed(values, share) -> None:
    ranked = sorted(values, reverse=True)
    needed = needed_for(torch.tensor(ranked, dtype=torch.float64), share)
    assert sum(ranked[:needed]) >= share * sum(ranked) * (1 - 1e-12)
    assert sum(ranked[: needed - 1]) <= share * sum(ranked) * (1 + 1e-12)


def test_the_energy_along_an_eigenvector_is_its_eigenvalue() -> None:
    activation = random_activation(2)
    values, vectors = spectrum(gram_matrix(activation)[0])
    for value, direction in zip(values, vectors.T, strict=True):
        assert float(projected(activation, direction).square().mean()) == pytest.approx(float(value))


def test_components_share_the_energy_and_point_along_the_painting() -> None:
    activations = {picture: random_activation(seed).float() for seed, picture in enumerate(PICTURES)}
    found = components("relu1_1", activations, 6)
    assert [each.rank for each in found] == [1, 2, 3, 4, 5, 6]
    for picture in PICTURES:
        assert sum(each.shares[picture] for each in found) == pytest.approx(1)
    ours = [each.shares["painting"] for each in found]
    assert ours == sorted(ours, reverse=True)
    assert all(float(each.maps["painting"].mean()) >= 0 for each in found)
    first = found[0]
    part = float(first.maps["result"].square().mean() / activations["result"].square().sum(1).mean())
    assert part == pytest.approx(first.shares["result"], rel=1e-5)


def test_terms_of_all_components_are_the_style_terms() -> None:
    network, image = double(), STYLE.flip(3).double()
    ours = leading_terms(network, STYLE.double(), STYLES, 0)
    theirs = style_terms(network, [STYLE.double()], STYLES)
    found = network(image, STYLES.layers)
    for one, other in zip(ours, theirs, strict=True):
        assert one.layer == other.layer
        torch.testing.assert_close(one.measure(found[one.layer]), other.measure(found[other.layer]))


def test_a_term_of_few_components_is_zero_where_the_activations_are_those_alone() -> None:
    network = double()
    (term, _) = leading_terms(network, STYLE.double(), STYLES, 3)
    activation = network(STYLE.double(), ["relu1_1"])["relu1_1"]
    vectors = spectrum(gram_matrix(activation)[0])[1][:, :3]
    alone = torch.einsum("ij,bjhw->bihw", vectors @ vectors.T, activation)
    assert float(term.measure(activation)) > 0
    assert float(term.measure(alone)) == pytest.approx(0, abs=1e-12 * float(term.measure(activation)))


def test_the_gradient_of_a_term_is_that_of_finite_differences() -> None:
    (term, _) = leading_terms(double(), STYLE.double(), STYLES, 2)
    activation = random_activation(3, 16).requires_grad_()
    assert torch.autograd.gradcheck(term.measure, (activation,), fast_mode=True)
