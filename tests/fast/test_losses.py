"""The objective for batches against the objective itself."""

from __future__ import annotations

import pytest
import torch

from gramarye import detail, preset, statistics
from gramarye.errors import SettingsError
from gramarye.fast.losses import Losses
from gramarye.objective import objective_for
from gramarye.vgg import VGG
from gramarye.weights import embedded, read
from networks import picture as pixels
from networks import random_weights


def network_of_its_own() -> VGG:
    return VGG(random_weights())


@pytest.mark.parametrize("edges", [0.0, 15.0])
def test_each_picture_of_a_batch_has_the_value_of_the_objective(edges: float) -> None:
    network, settings = network_of_its_own(), preset("default").with_(**{"content.detail": edges})
    photographs = torch.cat([pixels(64, 48, seed) for seed in (1, 2)])
    paintings = [pixels(64, 64, seed) for seed in (3, 4)]
    pictures = torch.cat([pixels(64, 48, seed) for seed in (5, 6)])
    losses = Losses(network, settings)
    targets = [losses.grams(painting) for painting in paintings]
    wanted = {layer: torch.cat([target[layer] for target in targets]) for layer in targets[0]}
    found = losses.of(pictures, photographs, wanted)
    for place, painting in enumerate(paintings):
        photograph = photographs[place : place + 1]
        places = 1 + edges * detail.edges(photograph)
        objective = objective_for(network, photograph, [painting], settings, detail=places)
        values = objective.values(network(pictures[place : place + 1], objective.layers))
        for kind, others in {"content": {"content"}, "style": {"style"}, "smoothness": {"tv", "box"}}.items():
            expected = sum(float(term.weight * values[term.name]) for term in objective.terms if term.kind in others)
            assert float(found[kind][place]) == pytest.approx(expected, rel=1e-4)


def test_a_calibrated_network_is_seen_as_the_objective_sees_it() -> None:
    """Gram matrices of calibrated activations are calibrated afterwards here; the objective's are looked up."""
    lite = VGG(read(embedded()))
    photograph, picture, painting = (pixels(64, 64, seed) for seed in (1, 2, 3))
    losses = Losses(lite, preset("default"))
    assert lite.calibrated
    grams = losses.grams(painting)
    for layer, activation in dict(lite(painting, losses.settings.style.layers)).items():
        written = statistics.gram_matrix(activation)
        assert float((grams[layer] - written).norm()) <= 1e-4 * float(written.norm())
    objective = objective_for(lite, photograph, [painting], preset("default").with_(**{"content.detail": 0.0}))
    values = objective.values(dict(lite(picture, objective.layers)))
    expected = sum(float(term.weight * values[term.name]) for term in objective.terms if term.kind == "style")
    assert float(losses.of(picture, photograph, grams)["style"]) == pytest.approx(expected, rel=1e-3)


def test_at_the_photograph_content_is_nothing_and_style_is_its_weight() -> None:
    network, settings = network_of_its_own(), preset("default")
    photographs = pixels(64, 48, 1)
    losses = Losses(network, settings)
    found = losses.of(photographs, photographs, losses.grams(pixels(64, 64, 3)))
    assert float(found["content"]) == 0
    assert float(found["style"]) == pytest.approx(settings.style.weight, rel=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"balance": "raw"},
        {"style.statistic": "moments"},
        {"content.distance": "l1"},
        {"content.detail_from": "lost"},
        {"smoothness.reduction": "sum"},
        {"strength": "0.5"},
        {"color": "luminance"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_settings_that_are_not_written_for_batches_are_refused(change: dict[str, str]) -> None:
    ((name, value),) = change.items()
    with pytest.raises(SettingsError, match=f"a painter is trained with {name}=.*; got {value}. Train with"):
        Losses(network_of_its_own(), preset("default").with_(**change))
