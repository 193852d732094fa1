"""Blame: its formulas, and the deletion test, also with the full VGG-19 on real pictures."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from gramarye import images, statistics, weights
from gramarye.explain import blame as blames
from gramarye.explain.section import fixed
from gramarye.explain.subject import paint
from gramarye.objective import Term
from gramarye.presets import preset
from gramarye.pulling import finish
from gramarye.vgg import VGG


def activation(seed: int, channels: int = 5, rows: int = 6, columns: int = 7) -> torch.Tensor:
    return torch.rand(1, channels, rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gram_term(target: torch.Tensor) -> Term:
    wanted = statistics.gram_matrix(target)
    return Term(
        "style x", "style", "x", 2.0, lambda found: statistics.gram_distance(statistics.gram_matrix(found), wanted)
    )


@given(some.integers(0, 500))
def test_blame_of_a_gram_term_is_how_much_a_place_has_of_what_is_wrong(seed: int) -> None:
    """With L = Σ(G − A)²/4N²: F_p·∂L/∂F_p = Fᵀ·ΔG·F/(N²M) at the place, and F_c·∂L/∂F_c = (ΔG·G)_cc/N²."""
    found, target = activation(seed), activation(seed + 1)
    made = blames.blame(gram_term(target), found)
    gram = statistics.gram_matrix(found)[0]
    difference = gram - statistics.gram_matrix(target)[0]
    value = float(difference.square().sum()) / (4 * 25)
    flat = found.flatten(2)[0]
    forms = torch.einsum("ip,ij,jp->p", flat, difference, flat) / (25 * 42)
    by_hand = (forms - forms.mean()) / 2 / value
    torch.testing.assert_close(made.places.flatten().double(), by_hand, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(made.channels.double(), (difference @ gram).diag() / 25 / value, atol=1e-6, rtol=1e-5)
    assert float(made.places.sum()) == pytest.approx(0, abs=1e-5)


@given(some.integers(0, 200), some.integers(0, 41))
def test_blame_is_by_how_much_the_term_falls_as_the_place_fades(seed: int, place: int) -> None:
    """−d ln L/dε at ε = 0 by central differences, for a statistic other than Gram's too."""
    found, target = activation(seed), activation(seed + 1)
    wanted = statistics.mean_and_deviation(target)
    moments = Term(
        "m", "style", "x", 1.0, lambda each: statistics.moments_distance(statistics.mean_and_deviation(each), wanted)
    )
    for term in (gram_term(target), moments):
        ends = [float(term.measure(blames.faded(found, torch.tensor([place]), by))) for by in (1e-5, -1e-5)]
        slope = (ends[1] - ends[0]) / 2e-5 / float(term.measure(found))
        assert float(blames.blame(term, found).places.flatten()[place]) == pytest.approx(slope, rel=1e-3, abs=1e-6)


@given(some.integers(0, 500))
def test_blame_of_the_content_term_is_each_places_share_of_it(seed: int) -> None:
    found, target = activation(seed), activation(seed + 1)
    term = Term("content x", "content", "x", 1.0, lambda each: statistics.content_distance(each, target))
    squared = (found - target).square()
    made = blames.blame(term, found)
    torch.testing.assert_close(made.places[0, 0].double(), squared[0].sum(0) / squared.sum(), atol=1e-6, rtol=1e-5)


@given(some.integers(0, 200))
def test_blame_of_content_is_what_the_photographs_features_would_mend(seed: int) -> None:
    found, target = activation(seed, 3, 2, 3), activation(seed + 1, 3, 2, 3)
    term = Term("content x", "content", "x", 1.0, lambda each: statistics.content_distance(each, target))
    made, value = blames.blame(term, found), float(term.measure(found))
    for row, column in itertools.product(range(2), range(3)):
        mended = found.clone()
        mended[..., row, column] = target[..., row, column]
        fell = 1 - float(term.measure(mended)) / value
        assert float(made.places[0, 0, row, column]) == pytest.approx(fell, abs=1e-6)


def test_nothing_is_blamed_where_nothing_is_left() -> None:
    found = activation(1)
    content = Term("content x", "content", "x", 1.0, lambda each: statistics.content_distance(each, found))
    for term in (gram_term(found), content):
        made = blames.blame(term, found)
        assert not made.places.any()
        assert not made.channels.any()
    tested = blames.deletion(gram_term(found), found, made.places, fixed(0))
    assert (tested.blamed, tested.wins, tested.p) == (0, 0, 1)


@given(some.integers(0, 200), some.sampled_from([1.0, 0.5, 0.1]))
def test_a_faded_place_counts_less_in_the_gram_matrix(seed: int, by: float) -> None:
    found = activation(seed)
    where = torch.tensor([3, 40, 11])
    weights_of_places = torch.ones(42, dtype=torch.float64)
    weights_of_places[where] = 1 - by
    flat = found.flatten(2)[0]
    mean = (flat * weights_of_places) @ flat.T / weights_of_places.sum()
    torch.testing.assert_close(statistics.gram_matrix(blames.faded(found, where, by))[0], mean)


def test_all_places_cannot_fade() -> None:
    found = activation(1, rows=1, columns=1)
    assert torch.equal(blames.faded(found, torch.tensor([0]), 1.0), found)


def test_chance_is_the_binomials() -> None:
    for wins in range(6):
        heads = sum(sum(throw) >= wins for throw in itertools.product((0, 1), repeat=5))
        assert blames.chance(wins, 5) == pytest.approx(heads / 32)
    assert blames.chance(30, 30) == 2.0**-30


def test_the_deletion_test_finds_the_guilty_and_does_not_invent_them() -> None:
    """What is too much sits in a tenth of the places; blame that is drawn at random finds nothing."""
    found = activation(3, 6, 20, 20)
    target = found.clone()
    found[..., :2, :] *= 3
    term, made = gram_term(target), blames.blame(gram_term(target), found)
    tested = blames.deletion(term, found, made.places, fixed(1))
    assert (tested.edited, tested.places, len(tested.random)) == (40, 400, 30)
    assert len(set(made.places.flatten().topk(40).indices.tolist()) & set(range(40))) >= 38
    assert (tested.wins, tested.p) == (30, 2.0**-30)
    assert tested.blamed > 0.8
    assert tested.mean < 0.3
    assert blames.deletion(term, found, made.places, fixed(1)) == tested
    fair = [
        blames.deletion(term, found, torch.rand(1, 1, 20, 20, generator=fixed(seed)), fixed(seed), trials=1).wins
        for seed in range(100)
    ]
    assert 15 <= sum(fair) <= 55  # less than half: where nothing helps, neither wins


def test_a_tenth_is_at_least_one_place() -> None:
    found = activation(1, rows=1, columns=4)
    term = gram_term(activation(2, rows=1, columns=4))
    tested = blames.deletion(term, found, blames.blame(term, found).places, fixed(0), trials=3)
    assert (tested.edited, tested.places) == (1, 4)


@pytest.mark.parametrize("pair", [("tubingen.jpg", "starry_night_google.jpg"), ("golden_gate.jpg", "the_scream.jpg")])
def test_the_blame_of_vgg19_passes_the_deletion_test(shared: Path, pair: tuple[str, str]) -> None:
    """At a painted picture, in every style layer: p < 0.01 over 30 trials. The next test is at photographs."""
    settings = preset("default").with_(size=64, steps=8, precision="float32", **{"network.name": "vgg19"})
    file = shared / "weights" / "vgg19_oxford_conv.safetensors"
    content, style = shared / "images" / "content" / pair[0], shared / "images" / "style" / pair[1]
    subject = finish(paint(content, style, settings, weights_file=file))
    with torch.no_grad():
        activations = subject.network(subject.result, subject.objective.layers)
    for term in subject.objective.terms:
        if term.kind == "style":
            made = blames.blame(term, activations[term.layer])
            tested = blames.deletion(term, activations[term.layer], made.places, fixed(0))
            assert len(tested.random) == 30
            assert tested.p < 0.01, (term.name, tested.wins)


def test_the_deletion_test_holds_over_thirty_pairs_of_real_pictures(shared: Path) -> None:
    """One trial for each of 30 pairs of a photograph and a painting: independent of each other."""
    loaded = weights.load("vgg19", shared / "weights" / "vgg19_oxford_conv.safetensors")
    network, layers = VGG(loaded, pooling="avg"), ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
    seen = {}
    for kind, count in (("content", 10), ("style", 3)):
        files = sorted(path for path in (shared / "images" / kind).iterdir() if path.suffix in (".jpg", ".png"))[:count]
        pictures = [images.resize(images.load(file).pixels, (48, 48)) for file in files]
        with torch.no_grad():
            seen[kind] = [network(pixels, layers) for pixels in pictures]
    generator = fixed(0)
    for layer in layers:
        wins = 0
        for photograph, painting in itertools.product(seen["content"], seen["style"]):
            term = gram_term(painting[layer])
            made = blames.blame(term, photograph[layer])
            wins += blames.deletion(term, photograph[layer], made.places, generator, trials=1).wins
        assert blames.chance(wins, 30) < 0.01, (layer, wins)
