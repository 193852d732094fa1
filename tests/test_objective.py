"""Named terms, weights and balance."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from gramarye import demo, images, statistics
from gramarye.errors import SettingsError
from gramarye.objective import Apart, Objective, Term, balanced, content_terms, objective_for, style_terms
from gramarye.optimize import optimize
from gramarye.presets import preset
from gramarye.settings import Settings
from gramarye.vgg import VGG
from gramarye.weights import embedded, read
from networks import picture, random_weights

PHOTOGRAPH, PAINTING, OTHER = picture(48, 64, 1), picture(56, 40, 2), picture(48, 64, 3)


@pytest.fixture(scope="module")
def network() -> VGG:
    return VGG(random_weights(), pooling="avg")


def test_total_is_the_weighted_sum(network: VGG) -> None:
    objective = objective_for(network, PHOTOGRAPH, [PAINTING], preset("default"))
    values = objective.values(network(OTHER, objective.layers))
    rows = objective.describe({name: float(value) for name, value in values.items()})
    assert float(objective.total(values)) == pytest.approx(sum(row["weighted"] for row in rows), rel=1e-5)
    assert [row["kind"] for row in rows] == 2 * ["content"] + 7 * ["style"] + ["tv", "tv", "box"]


def test_gatys_objective_written_out(network: VGG) -> None:
    """α·½Σ(F−P)² + β·Σ w/(4N²M²)·Σ(G−A)², pictures of the same size, N as VGG-19 has it."""
    settings = preset("gatys-2015")
    painting = picture(48, 64, 9)
    objective = objective_for(network, PHOTOGRAPH, [painting], settings)
    found = objective.values(network(OTHER, objective.layers))
    layers = (*settings.content.layers, *settings.style.layers)
    f, p, s = (network(each, layers) for each in (OTHER, PHOTOGRAPH, painting))
    written = 0.5 * (f["conv4_2"] - p["conv4_2"]).square().sum()
    for layer in settings.style.layers:
        n, m = network.width(layer), f[layer].shape[2] * f[layer].shape[3]
        g, a = (torch.einsum("bikl,bjkl->ij", each[layer], each[layer]) for each in (f, s))
        written = written + 1000 * 0.2 * (g - a).square().sum() / (4 * n**2 * m**2)
    torch.testing.assert_close(objective.total(found), written, rtol=1e-5, atol=0)


def test_tutorial_objective_written_out(network: VGG) -> None:
    """mse of conv_4 + 10⁶·Σ mse of G/(c·h·w), with the tutorial's own layers counted from the input."""
    settings = preset("pytorch-tutorial")
    objective = objective_for(network, PHOTOGRAPH, [PAINTING], settings)
    found = objective.values(network(OTHER, objective.layers))
    f, p, s = (
        network(each, ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"]) for each in (OTHER, PHOTOGRAPH, PAINTING)
    )
    n = network.width("conv2_2")
    written = (f["conv2_2"] - p["conv2_2"]).square().sum() / (n * f["conv2_2"][0, 0].numel())
    for layer in f:
        n = network.width(layer)
        g, a = (torch.einsum("bikl,bjkl->ij", each, each) / (n * each[0, 0].numel()) for each in (f[layer], s[layer]))
        written = written + 1e6 * (g - a).square().sum() / n**2
    torch.testing.assert_close(objective.total(found), written, rtol=1e-5, atol=0)


def test_balanced_terms_are_one_at_the_photograph(network: VGG) -> None:
    settings = Settings().with_(**{"content.weight": 3.0, "style.weight": 7.0})
    objective = objective_for(network, PHOTOGRAPH, [PAINTING], settings)
    values = objective.values(network(PHOTOGRAPH, objective.layers))
    for row in objective.describe({name: float(value) for name, value in values.items()}):
        wanted = 7 / 5 if row["kind"] == "style" else 0
        assert row["weighted"] == pytest.approx(wanted, rel=1e-4, abs=1e-9)


def test_balance_makes_weights_mean_the_same_for_louder_activations(network: VGG) -> None:
    """Features ten times larger change nothing: content grows with s², Gram terms with s⁴."""
    from dataclasses import replace

    made = random_weights()
    loud = replace(made, calibration={})
    for name in ("conv1_1.weight", "conv1_1.bias"):
        loud.tensors[name] = made.tensors[name] * 10
    for name in loud.tensors:
        if name.endswith(".bias") and name != "conv1_1.bias":
            loud.tensors[name] = made.tensors[name] * 10
    totals = []
    for weights in (random_weights(), loud):
        each = VGG(weights, pooling="avg")
        objective = objective_for(each, PHOTOGRAPH, [PAINTING], Settings())
        totals.append(objective.total(objective.values(each(OTHER, objective.layers))))
    torch.testing.assert_close(totals[0], totals[1], rtol=1e-3, atol=0)


def test_a_picture_in_its_own_manner_stays_as_it_is(network: VGG) -> None:
    """Photograph and painting the same: every term is zero, and no weight is beyond reason."""
    objective = objective_for(network, PHOTOGRAPH, [PHOTOGRAPH], preset("default"))
    values = objective.values(network(PHOTOGRAPH, objective.layers))
    rows = objective.describe({name: float(value) for name, value in values.items()})
    assert all(row["weighted"] < 1e-6 for row in rows if row["kind"] in ("content", "style"))


def test_several_paintings_are_mixed_evenly(network: VGG) -> None:
    settings = Settings().with_(balance="raw")
    mixed = objective_for(network, PHOTOGRAPH, [PAINTING, OTHER], settings)
    alone = [objective_for(network, PHOTOGRAPH, [each], settings) for each in (PAINTING, OTHER)]
    at = network(PHOTOGRAPH, mixed.layers)
    for name in ("style relu1_1", "style relu4_1"):
        singles = [each.values(at)[name] for each in alone]
        assert float(mixed.values(at)[name]) <= float(max(singles))


def test_terms_without_weight_are_not_computed() -> None:
    def never(found: torch.Tensor) -> torch.Tensor:
        raise AssertionError

    objective = Objective((Term("a", "content", "relu1_1", 0.0, never), Term("b", "tv", "pixels", 1.0, torch.sum)))
    assert objective.layers == ("pixels",)
    assert set(objective.values({"pixels": torch.ones(2)})) == {"b"}


@pytest.mark.parametrize("name", ["default", "gatys-2015"])
def test_gradient_as_finite_differences(name: str) -> None:
    """The whole objective in float64 along random directions."""
    from dataclasses import replace

    made = random_weights()
    double = replace(made, tensors={key: tensor.double() for key, tensor in made.tensors.items()})
    network = VGG(double, pooling="avg", dtype=torch.float64)
    settings = preset(name).with_(**{"network.pooling": "avg"})
    photograph, painting, other = (each.double() for each in (PHOTOGRAPH, PAINTING, OTHER))
    objective = objective_for(network, photograph, [painting], settings)

    def total(image: torch.Tensor) -> torch.Tensor:
        return objective.total(objective.values(network(image, objective.layers)))

    image = other.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(total(image), image)
    for seed in range(3):
        direction = torch.randn(image.shape, generator=torch.Generator().manual_seed(seed)).double()
        step = 1e-7  # small enough that no ReLU changes side
        with torch.no_grad():
            slope = (total(image + step * direction) - total(image - step * direction)) / (2 * step)
        assert float(slope) == pytest.approx(float((gradient * direction).sum()), rel=1e-6)


def raw(**knobs: object) -> Settings:
    return Settings().with_(balance="raw", **{name.replace("__", "."): value for name, value in knobs.items()})


def values_at(network: VGG, objective: Objective, picture_: Tensor) -> dict[str, float]:
    found = objective.values(network(picture_, objective.layers))
    return {name: float(value) for name, value in found.items()}


@pytest.mark.parametrize("statistic", ["moments", "gram"])
def test_means_are_mixed_before_they_are_compared(network: VGG, statistic: str) -> None:
    """The target of one layer is the weighted mean of the paintings' summaries."""
    settings = raw(style__statistic=statistic, style__mix=(3.0, 1.0))
    found = values_at(network, objective_for(network, PHOTOGRAPH, [PAINTING, OTHER], settings), PHOTOGRAPH)
    chosen = statistics.STATISTICS[statistic]
    summaries = [chosen.summarise(network(each, ["relu2_1"])["relu2_1"]) for each in (PHOTOGRAPH, PAINTING, OTHER)]
    target = tuple(0.75 * one + 0.25 * other for one, other in zip(*summaries[1:], strict=True))
    written = chosen.compare(summaries[0], target, channels=128)
    assert found["style relu2_1"] == pytest.approx(float(written), rel=1e-5)


@pytest.mark.parametrize("statistic", ["mmd-gauss", "w2", "sliced-w", "nearest"])
def test_of_the_others_the_distances_are_mixed(network: VGG, statistic: str) -> None:
    settings = raw(style__statistic=statistic, style__distance="l1")
    both = objective_for(network, PHOTOGRAPH, [PAINTING, OTHER], settings.with_(**{"style.mix": (3, 1)}))
    alone = [objective_for(network, PHOTOGRAPH, [each], settings) for each in (PAINTING, OTHER)]
    mixed, one, other = (values_at(network, each, PHOTOGRAPH)["style relu3_1"] for each in (both, *alone))
    assert mixed == pytest.approx(0.75 * one + 0.25 * other, rel=1e-4)


@pytest.mark.parametrize("statistic", statistics.STATISTICS)
def test_a_painting_of_weight_zero_is_not_there(network: VGG, statistic: str) -> None:
    settings = raw(style__statistic=statistic)
    mixed = objective_for(network, PHOTOGRAPH, [PAINTING, OTHER], settings.with_(**{"style.mix": (2, 0)}))
    alone = objective_for(network, PHOTOGRAPH, [PAINTING], settings)
    assert values_at(network, mixed, PHOTOGRAPH) == pytest.approx(values_at(network, alone, PHOTOGRAPH), rel=1e-5)


def test_a_mix_has_one_weight_for_each_painting(network: VGG) -> None:
    with pytest.raises(SettingsError, match="one weight for each of the 1 paintings; got 2"):
        style_terms(network, [PAINTING], Settings().with_(**{"style.mix": (1, 1)}).style)


@pytest.mark.parametrize("distance", statistics.DISTANCES)
@pytest.mark.parametrize("how", ["start", "gradient"])
@pytest.mark.parametrize("statistic", statistics.STATISTICS)
def test_every_balance_of_every_statistic_is_finite(network: VGG, statistic: str, distance: str, how: str) -> None:
    knobs = {"style.statistic": statistic, "style.distance": distance, "content.distance": distance, "balance": how}
    objective = objective_for(network, PHOTOGRAPH, [PAINTING], Settings().with_(**knobs))
    image = OTHER.clone().requires_grad_()
    total = objective.total(objective.values(network(image, objective.layers)))
    (gradient,) = torch.autograd.grad(total, image)
    assert torch.isfinite(total)
    assert torch.isfinite(gradient).all()
    assert float(gradient.norm()) > 0


def test_balanced_by_gradient_weights_are_shares_of_the_pull(network: VGG) -> None:
    """At the photograph with a little noise, every term's gradient is its weight over √(H·W)."""
    settings = Settings().with_(**{"content.weight": 3.0, "style.weight": 10.0, "balance": "gradient"})
    objective = objective_for(network, PHOTOGRAPH, [PAINTING], settings)
    noise = torch.randn(PHOTOGRAPH.shape, generator=torch.Generator().manual_seed(settings.seed))
    image = (PHOTOGRAPH + 0.1 * noise).requires_grad_()
    values = objective.values(network(image, objective.layers))
    for term in objective.terms:
        (gradient,) = torch.autograd.grad(term.weight * values[term.name], image, retain_graph=True)
        wanted = 3 if term.kind == "content" else 10 / 5
        assert float(gradient.norm()) * (48 * 64) ** 0.5 == pytest.approx(wanted, rel=1e-3)


def test_balance_leaves_the_smoothness_terms_alone(network: VGG) -> None:
    terms = (Term("tv", "tv", "pixels", 5.0, torch.sum), Term("none", "tv", "pixels", 0.0, torch.sum))
    for how in ("start", "gradient"):
        assert [term.weight for term in balanced(network, PHOTOGRAPH, terms, how)] == [5.0]


@dataclass(frozen=True)
class Halves:
    """The left part of the picture is sky and the right one ground, as in the painting; nothing is sea."""

    labels: tuple[str, ...]
    picture: Tensor
    paintings: tuple[Tensor, ...]
    content_weights: tuple[float, ...] = (1.0, 1.0, 1.0)


def halves(size: tuple[int, int], share: float) -> Tensor:
    maps = torch.zeros(1, 3, *size)
    edge = round(size[1] * share)
    maps[:, 0, :, :edge], maps[:, 1, :, edge:] = 1, 1
    return maps


SKY = Halves(("sky", "ground", "sea"), halves((48, 64), 0.75), (halves((56, 40), 0.4),))


def test_regions_each_have_a_term_of_their_own(network: VGG) -> None:
    """Weighted by their share of the picture; a region that the picture lacks is left out."""
    terms = style_terms(network, [PAINTING], raw(style__layers=("relu1_1", "relu2_1")).style, regions=SKY)
    weights_ = {term.name: term.weight for term in terms}
    assert weights_ == pytest.approx(
        {
            "style relu1_1 · sky": 0.375,
            "style relu1_1 · ground": 0.125,
            "style relu2_1 · sky": 0.375,
            "style relu2_1 · ground": 0.125,
        }
    )


@pytest.mark.parametrize("statistic", statistics.STATISTICS)
def test_regions_are_painted_like_their_own_part(network: VGG, statistic: str) -> None:
    """Each term is that of the cut-out activations, and its gradient stays within the region's surroundings."""
    settings = raw(style__statistic=statistic, style__layers=("relu1_1",)).style
    (sky, ground), at = style_terms(network, [PAINTING], settings, regions=SKY), network(OTHER, ["relu1_1"])["relu1_1"]
    chosen, target = statistics.STATISTICS[statistic], network(PAINTING, ["relu1_1"])["relu1_1"]
    cut = chosen.fix(chosen.summarise(target[:, :, :, :16]))
    written = chosen.compare(chosen.summarise(at[:, :, :, :48]), cut, channels=64)
    assert float(sky.measure(at)) == pytest.approx(float(written), rel=1e-4)
    image = OTHER.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(ground.measure(network(image, ["relu1_1"])["relu1_1"]), image)
    assert float(gradient[:, :, :, :47].abs().max()) == 0
    assert float(gradient.abs().max()) > 0


def test_a_region_that_a_painting_lacks_is_refused(network: VGG) -> None:
    bare = Halves(SKY.labels, SKY.picture, (halves((56, 40), 1.0),))
    with pytest.raises(SettingsError, match="no 'ground' in any"):
        objective_for(network, PHOTOGRAPH, [PAINTING], Settings(), regions=bare)


@pytest.mark.parametrize("how", ["raw", "start", "gradient"])
def test_regions_in_a_whole_objective(network: VGG, how: str) -> None:
    """Content keeps what the regions' weights say: here nothing of the sky."""
    regions = Halves(SKY.labels, SKY.picture, SKY.paintings, (0.0, 2.0, 1.0))
    settings = Settings().with_(balance=how, **{"content.layers": ("relu1_1",), "style.weight": 0.0})
    objective = objective_for(network, PHOTOGRAPH, [PAINTING], settings, regions=regions)
    image = OTHER.clone().requires_grad_()
    total = objective.total(objective.values(network(image, objective.layers)))
    (gradient,) = torch.autograd.grad(total, image)
    assert float(gradient[:, :, :, :47].abs().max()) == 0
    assert float(gradient[:, :, :, 48:].abs().max()) > 0


def test_detail_is_relative_to_its_mean(network: VGG) -> None:
    detail = torch.rand(1, 1, 48, 64, generator=torch.Generator().manual_seed(0))
    settings = raw(content__layers=("relu1_1", "relu3_1"))
    plain, once, thrice, even = (
        values_at(network, objective_for(network, PHOTOGRAPH, [PAINTING], settings, detail=each), OTHER)
        for each in (None, detail, 3 * detail, torch.full_like(detail, 0.2))
    )
    assert once == pytest.approx(thrice, rel=1e-5)
    assert even == pytest.approx(plain, rel=1e-5)
    assert once["content relu1_1"] != pytest.approx(plain["content relu1_1"], rel=1e-5)
    at, target = (network(each, ["relu1_1"])["relu1_1"] for each in (OTHER, PHOTOGRAPH))
    written = ((at - target).square() * detail / detail.mean()).sum() / (64 * 48 * 64)
    assert once["content relu1_1"] == pytest.approx(float(written), rel=1e-4)


def test_smoothness_terms_follow_their_knobs(network: VGG) -> None:
    knobs = {"weight": 2.0, "kind": "isotropic", "exponent": 2.5, "reduction": "sum"}
    settings = Settings().with_(**{f"smoothness.{name}": value for name, value in knobs.items()})
    objective = objective_for(network, PHOTOGRAPH, [PAINTING], settings)
    written = statistics.total_variation(OTHER, 2.5, kind="isotropic", reduction="sum")
    assert values_at(network, objective, OTHER)["tv"] == pytest.approx(float(written))


@pytest.fixture(scope="module")
def lite() -> VGG:
    return VGG(read(embedded()), pooling="avg")


@pytest.fixture(scope="module")
def pair() -> tuple[Tensor, Tensor]:
    photograph, painting = (images.load(path).pixels for path in (demo.photograph(), demo.styles()[0]))
    return images.resize(photograph, (48, 56)), images.resize(painting, (56, 48))


@pytest.mark.parametrize(
    ("statistic", "distance"),
    [*((statistic, "l2") for statistic in statistics.STATISTICS), ("gram", "huber"), ("w2", "l1"), ("sliced-w", "l1")],
)
def test_a_few_steps_bring_the_painting_nearer(
    lite: VGG, pair: tuple[Tensor, Tensor], statistic: str, distance: str
) -> None:
    """With the embedded network: style terms fall, and are zero for the painting itself."""
    knobs = {"style.statistic": statistic, "style.distance": distance, "style.weight": 30.0, "content.weight": 0.1}
    settings = Settings().with_(**knobs)
    photograph, painting = pair
    objective = objective_for(lite, photograph, [painting], settings)
    steps = list(optimize(photograph.clone(), objective, lite, settings.optimizer, 8))
    first, last = (
        sum(step.weighted[name] for name in step.weighted if "style" in name) for step in (steps[0], steps[-1])
    )
    assert first == pytest.approx(30, rel=1e-3)
    assert last < 0.8 * first
    itself = Objective(tuple(term for term in objective.terms if term.kind == "style"))
    values = values_at(lite, itself, painting)
    assert sum(row["weighted"] for row in itself.describe(values)) < 0.02 * first


@pytest.mark.parametrize("statistic", ["gram", "covariance", "mmd-poly"])
@pytest.mark.parametrize("regions", [None, SKY], ids=["whole", "regions"])
def test_a_calibration_apart_changes_nothing(
    lite: VGG, pair: tuple[Tensor, Tensor], statistic: str, regions: Halves | None
) -> None:
    """What is computed of activations that are yet to be calibrated is what it is of calibrated ones, to float32."""
    photograph, painting = pair
    terms = style_terms(lite, [painting], raw(style__statistic=statistic).style, regions=regions)
    assert all(isinstance(term.measure, Apart) for term in terms)
    image = photograph.clone().requires_grad_()
    found = lite(image, Objective(terms).layers)
    for term in terms:
        values = Objective((term,)).values(found)[term.name], Objective((term,)).values(dict(found))[term.name]
        torch.testing.assert_close(*values, rtol=1e-4, atol=0)
        one, other = (torch.autograd.grad(value, image, retain_graph=True)[0] for value in values)
        assert float((one - other).norm()) <= 1e-3 * float(other.norm())


@pytest.mark.parametrize("distance", statistics.DISTANCES)
def test_content_distances_written_out(network: VGG, distance: str) -> None:
    settings = raw(content__distance=distance, content__layers=("relu3_1",)).content
    (term,) = content_terms(network, PHOTOGRAPH, settings)
    at, target = (network(each, ["relu3_1"])["relu3_1"] for each in (OTHER, PHOTOGRAPH))
    written = statistics.total_of(at - target, distance) / (256 * at[0, 0].numel())
    assert float(term.measure(at)) == pytest.approx(float(written), rel=1e-5)
