"""Feature visualisation: the spectra and how they are shaken, the units, and that their pictures excite them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from brought import CONTENT, STYLE, brought, told
from gramarye import statistics
from gramarye.explain import responses, spectrum, visualization
from gramarye.explain.responses import Patch, Unit
from gramarye.explain.section import fixed
from gramarye.explain.visualization import Found, Visualization
from gramarye.objective import Objective, Term
from gramarye.optimize import Descent
from gramarye.pulling import finish
from gramarye.settings import OptimizerSettings
from gramarye.vgg import VGG
from networks import picture, random_weights

NETWORK = VGG(random_weights())


def activation(seed: int, channels: int = 5) -> torch.Tensor:
    return torch.randn(1, channels, 4, 6, generator=fixed(seed), dtype=torch.float64).relu()


# ---- spectra ----------------------------------------------------------------------------------------------


def test_a_spectrum_is_a_sum_of_waves() -> None:
    """One coefficient at a time, by the cosine that it stands for; the axes' colours and the contrast by hand."""
    side, down, across = 8, 3, 2
    for part, phase in ((0, 0.0), (3, math.pi / 2)):
        spectra = torch.zeros(1, 6, side, side // 2 + 1, dtype=torch.float64)
        spectra[0, 1 + part, down, across] = 1.0
        rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        wave = torch.cos(2 * math.pi * (down * rows + across * columns) / side + phase).double()
        colors = spectrum.color_axes()[:, 1].double()[:, None, None] * wave
        colors *= spectrum.CONTRAST / colors.square().mean().sqrt()
        torch.testing.assert_close(spectrum.pictures_of(spectra)[0], 1 / (1 + torch.exp(-colors)), atol=1e-5, rtol=0)


def test_frequencies_weigh_less_the_higher_they_are() -> None:
    weights = spectrum.frequency_weights(16)
    assert float(weights[0, 0]) == pytest.approx(16 * math.exp(-0.5 * (1 / 16 / 0.12) ** 2))
    assert float(weights[13, 2]) == pytest.approx(
        math.exp(-0.5 * ((9 + 4) / 256 / 0.12**2)) / math.sqrt(13 / 256), rel=1e-5
    )
    assert (weights[0].diff()[1:] < 0).all()


def test_color_axes_are_a_root_of_the_covariance() -> None:
    axes, covariance = spectrum.color_axes().double(), torch.tensor(spectrum.COLOR_COVARIANCE).double()
    ratio = axes @ axes.T / covariance
    torch.testing.assert_close(ratio, ratio[0, 0].expand(3, 3), atol=0, rtol=1e-4)
    assert float(axes.norm(dim=0).max()) == pytest.approx(1)
    assert (axes[:, 0].sign() == axes[0, 0].sign()).all(), "the first axis is light"


@given(some.integers(0, 100), some.sampled_from([8, 14, 20]), some.floats(1e-3, 1e3))
def test_every_picture_has_the_contrast_of_a_photograph(seed: int, side: int, size: float) -> None:
    spectra = spectrum.first_spectra(2, side, fixed(seed)).double() * size
    pictures = spectrum.pictures_of(spectra)
    assert pictures.shape == (2, 3, side, side)
    logits = torch.logit(pictures).square().mean((1, 2, 3)).sqrt()
    torch.testing.assert_close(logits, torch.full((2,), spectrum.CONTRAST, dtype=torch.float64), atol=1e-6, rtol=0)


def test_pictures_of_spectra_have_the_gradient_of_finite_differences() -> None:
    spectra = spectrum.first_spectra(1, 4, fixed(1)).double().requires_grad_()
    assert torch.autograd.gradcheck(spectrum.pictures_of, spectra, atol=1e-4)


def test_unshaken_a_picture_stands_in_a_grey_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = torch.rand(2, 3, 24, 24, generator=fixed(0))
    still = torch.full((4, 2), 0.5)
    monkeypatch.setattr(torch, "rand", lambda *_, **__: still)
    shown = spectrum.unsteady(pictures, fixed(0))
    frame = (2 * spectrum.PAD - spectrum.JITTER) // 2
    assert shown.shape == (2, 3, 24 + 2 * frame, 24 + 2 * frame)
    torch.testing.assert_close(shown[..., frame:-frame, frame:-frame], pictures, atol=1e-5, rtol=0)
    torch.testing.assert_close(shown[..., : frame - 1], torch.full_like(shown[..., : frame - 1], 0.5))


def test_pictures_are_shifted_zoomed_and_turned_within_bounds() -> None:
    """A white dot off the middle: where its centre of mass goes tells the shift, the zoom and the angle."""
    side, count = 64, 300
    pictures = torch.full((count, 3, side, side), 0.5)
    pictures[..., 44:48, 30:34] = 1.0  # its middle is 14 px below the picture's
    mass = spectrum.unsteady(pictures, fixed(3))[:, 0] - 0.5
    places = torch.arange(mass.shape[1]) + 0.5 - mass.shape[1] / 2
    down = (mass.sum(2) * places).sum(1) / mass.sum((1, 2))
    across = (mass.sum(1) * places).sum(1) / mass.sum((1, 2))
    lowest, highest = 0.9 * (14 * math.cos(math.radians(10)) - 4), 1.1 * (14 + 4)
    assert lowest - 1 < float(down.min()) < lowest + 3.5
    assert highest - 3.5 < float(down.max()) < highest + 1
    sideways = 1.1 * (4 + 14 * math.sin(math.radians(10)))
    assert sideways / 2 < float(across.max()) < sideways + 0.5
    assert sideways / 2 < -float(across.min()) < sideways + 0.5


def test_the_loop_is_the_same_whatever_it_looks_through() -> None:
    """A callable in place of the network paints the same pixels, to the last bit."""
    term = Term("up", "unit", "relu2_1", 1.0, lambda found: (found - 1).square().mean())
    adam = OptimizerSettings(name="adam")

    def seeing(leaf: torch.Tensor, layers: tuple[str, ...]) -> dict[str, torch.Tensor]:
        return NETWORK(leaf, layers)

    plain = Descent(picture(32, 32, 1), Objective((term,)), NETWORK, adam)
    behind = Descent(picture(32, 32, 1), Objective((term,)), seeing, adam)
    for _ in zip(plain.steps(4), behind.steps(4), strict=True):
        assert torch.equal(plain.pixels, behind.pixels)


# ---- units ------------------------------------------------------------------------------------------------


def test_channels_of_style_are_those_that_tell_the_painting_apart() -> None:
    """Not the loudest, and not one that differs at a single place, but what is higher everywhere."""
    photograph = torch.rand(1, 4, 8, 8, generator=fixed(0))
    painting = torch.rand(1, 4, 8, 8, generator=fixed(1))
    painting[:, 2] += 1.0
    painting[:, 0, 3, 3] += 64.0  # the mean rises as much
    photograph[:, 1] *= 1000
    painting[:, 1] = photograph[:, 1] + 20
    assert responses.channels_of_style(painting, photograph, 2) == (2, 0)
    assert len(responses.channels_of_style(painting, photograph, 9)) == 4


@given(some.integers(0, 300))
def test_gram_directions_are_eigenvectors_with_their_share(seed: int) -> None:
    found = activation(seed)
    gram = statistics.gram_matrix(found)[0]
    directions = responses.gram_directions(found, 9)
    assert len(directions) == 5
    assert math.fsum(share for _, share in directions) == pytest.approx(1)
    assert [share for _, share in directions] == sorted((share for _, share in directions), reverse=True)
    for vector, share in directions:
        wide = vector.double()
        torch.testing.assert_close(gram @ wide, share * gram.trace() * wide, atol=1e-6, rtol=1e-5)
        assert float(wide.norm()) == pytest.approx(1, abs=1e-6)
        assert float(torch.einsum("bcij,c->bij", found, wide).pow(3).sum()) >= -1e-6


def test_units_of_a_layer() -> None:
    units = responses.units_of("relu2_1", activation(1).float(), activation(2).float(), 2, 3)
    assert [(unit.kind, unit.number) for unit in units[2:]] == [("direction", 1), ("direction", 2), ("direction", 3)]
    for unit in units[:2]:
        assert unit.weights.tolist() == [float(place == unit.number) for place in range(5)]
    assert units[2].share > units[3].share > units[4].share
    assert units[2].name == "relu2_1 · direction 1"


@pytest.mark.parametrize(("place", "top", "left"), [((5, 7), 30, 46), ((0, 0), 0, 0), ((11, 15), 68, 100)])
def test_a_patch_is_what_the_unit_sees(place: tuple[int, int], top: int, left: int) -> None:
    """Centred on the best position, moved inside at the border, never too small to be looked at."""
    image = picture(96, 128, 1)
    map_ = torch.zeros(1, 2, 12, 16)
    map_[0, 1][place] = 3.0
    unit = Unit("relu4_1", "channel", 1, torch.tensor([0.0, 1.0]))
    cut = responses.patch(image, map_, unit, stride=8, field_side=10)
    assert (cut.row, cut.column) == (8 * place[0] + 4, 8 * place[1] + 4)
    assert (cut.top, cut.left) == (top, left)
    assert torch.equal(cut.pixels, image[:, :, top : top + 28, left : left + 28])
    assert (cut.strongest, cut.mean) == (3.0, 3.0 / 192)
    whole = responses.patch(image, map_, unit, stride=8, field_side=500)
    assert whole.pixels.shape == (1, 3, 96, 96)


# ---- what excites them ------------------------------------------------------------------------------------


def test_terms_are_shortfalls_each_of_its_own_picture() -> None:
    known = torch.cat([activation(1), activation(2)])
    seen = known.clone().requires_grad_()
    channel = Unit("x", "channel", 3, torch.eye(5)[3])
    direction = Unit("x", "direction", 1, torch.nn.functional.normalize(torch.ones(5), dim=0), 0.5)
    objective = visualization.exciting((channel, direction), (20.0, 50.0))
    values = objective.values({"x": seen})
    assert float(values[channel.name].detach()) == pytest.approx(1 - float(known[0, 3].mean()) / 20)
    along = known[1].sum(0) / math.sqrt(5)
    cosine = (along / known[1].norm(dim=0).clamp_min(1e-6)).clamp_min(0.1)
    assert float(values[direction.name].detach()) == pytest.approx(1 - float((along * cosine).mean()) / 50, abs=1e-6)
    values[channel.name].backward()
    assert seen.grad[0, 3].unique().numel() == 1
    assert float(seen.grad[0, 3, 0, 0]) == pytest.approx(-1 / 24 / 20)
    assert float(seen.grad.abs().sum()) == pytest.approx(1 / 20)


def test_pictures_come_to_excite_their_units() -> None:
    """More than the random spectra that they began as, and the same for the same seed; each unit its own most."""
    units = [Unit("relu2_1", "channel", number, torch.eye(32)[number]) for number in (3, 8)]
    with torch.no_grad():
        first = spectrum.pictures_of(spectrum.first_spectra(2, 32, fixed(5)))
        begun = NETWORK(first, ["relu2_1"])["relu2_1"]
    aims = [10 * float(begun[:, unit.number].max()) for unit in units]
    pictures, course = finish(visualization.visualize(NETWORK, units, aims, side=32, evaluations=24, seed=5))
    again, _ = finish(visualization.visualize(NETWORK, units, aims, side=32, evaluations=24, seed=5))
    assert torch.equal(pictures, again)
    assert not pictures.requires_grad
    assert list(course) == [1, 2, 4, 8, 16, 24]
    with torch.no_grad():
        found = NETWORK(pictures, ["relu2_1"])["relu2_1"].mean((2, 3))
    for place, unit in enumerate(units):
        assert found[place, unit.number] > 1.5 * begun[place, unit.number].mean()
        assert found[place, unit.number] > found[1 - place, unit.number]
        assert course[24][place] < course[1][place]


def test_layers_of_style_are_one_of_each_block() -> None:
    names = ("relu1_1", "relu1_2", "relu4_1", "relu2_1", "relu2_2", "relu3_1")
    assert visualization.layers_of_style(NETWORK, names, 2) == ("relu2_1", "relu3_1")
    assert visualization.layers_of_style(NETWORK, names, 9) == ("relu2_1", "relu3_1", "relu4_1")
    assert visualization.layers_of_style(NETWORK, ("relu1_2", "relu1_1"), 9) == ("relu1_2",)
    assert visualization.layers_of_style(NETWORK, ("conv_4", "pixels"), 9) == ("conv2_2",)
    assert visualization.layers_of_style(NETWORK, ("pixels",), 9) == ("pixels",)


def test_a_dead_unit_has_an_aim_too() -> None:
    unit = Unit("x", "channel", 0, torch.eye(5)[0])
    dead = activation(1).float()
    dead[:, 0] = -1
    assert visualization._loudest(dead, unit) == pytest.approx(float(dead.square().mean().sqrt()))
    assert visualization._loudest(torch.zeros_like(dead), unit) == 1.0


@pytest.mark.parametrize("layers", ["relu2_1,relu3_1", "conv_4", "pool2"])
def test_the_section(monkeypatch: pytest.MonkeyPatch, layers: str) -> None:
    monkeypatch.setattr(visualization, "AMOUNTS", {"quick": (2, 1, 1, 32, 5)})
    subject = brought(monkeypatch, **{"style.layers": layers})
    found = told(visualization.explain, subject)
    names = layers.split(",")
    assert len(found.found) == 2 * len(names)
    for each in found.found:
        with torch.no_grad():
            layer = each.unit.layer
            seen = [subject.network(image, [layer])[layer] for image in (each.picture, STYLE, CONTENT)]
        maps = [torch.einsum("bcij,c->bij", each_, each.unit.weights) for each_ in seen]
        assert each.picture.shape == (1, 3, 32, 32)
        assert (each.mean, each.strongest) == pytest.approx((float(maps[0].mean()), float(maps[0].max())), rel=1e-3)
        assert each.painting.strongest == pytest.approx(float(maps[1].max()), rel=1e-4)
        assert each.photograph.mean == pytest.approx(float(maps[2].mean()), rel=1e-3, abs=1e-4)
        assert [index for index, _ in each.course] == [1, 2, 4, 5]


def of_strength(strongest: float, painting: float, kind: str = "channel") -> Found:
    patch = Patch(torch.zeros(1, 3, 4, 4), 0, 0, 0, 0, 4, painting, painting / 2)
    unit = Unit("relu3_1", kind, 7, torch.eye(8)[7], None if kind == "channel" else 0.25)
    weak = replace(patch, strongest=painting / 4, mean=painting / 8)
    return Found(unit, torch.zeros(1, 3, 8, 8), strongest / 2, strongest, patch, weak)


def test_findings_say_what_the_numbers_are_also_when_they_disappoint() -> None:
    section = Visualization((of_strength(30, 10), of_strength(5, 10), of_strength(8, 10, "direction")), 8, 12)
    gains, channels, directions = section.findings
    assert "12 evaluations, 1 of 3 pictures" in gains
    assert "0.8 times as much on the median, 3 times at most (relu3_1 · channel 7), 0.5 times at least" in gains
    assert "5 to the painting and 1 to the photograph, and 15 to" in channels
    assert directions.endswith("(its trace): 25% at relu3_1.")
    assert of_strength(1, 0).gain == math.inf
    assert len(Visualization((of_strength(30, 10),), 8, 12).findings) == 2
