"""Colours matched before, and put back after."""

from __future__ import annotations

import pytest
import torch

from gramarye import recolor
from networks import picture
from pictures import painting as noise

PHOTOGRAPH = 0.2 + 0.5 * picture(40, 48, 1)
PAINTING = 0.3 + 0.4 * noise(36, 30, seed=2)


def moments(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return image.flatten(2)[0].mean(1), torch.cov(image.flatten(2)[0])


@pytest.mark.parametrize("color", ["pca", "cholesky", "histogram"])
def test_the_painting_gets_the_moments_of_the_photograph(color: str) -> None:
    changed = recolor.before(PAINTING, PHOTOGRAPH, color)
    assert changed.shape == PAINTING.shape
    for found, wanted in zip(moments(changed), moments(PHOTOGRAPH), strict=True):
        assert torch.allclose(found, wanted, atol=0.01)


def test_histograms_of_all_channels_are_the_photographs() -> None:
    changed = recolor.match_histogram(PAINTING, PHOTOGRAPH)
    for channel in range(3):
        found, wanted = (
            image[0, channel].flatten().quantile(torch.linspace(0, 1, 9)) for image in (changed, PHOTOGRAPH)
        )
        assert torch.allclose(found, wanted, atol=0.02)


def test_a_picture_matched_to_itself_stays() -> None:
    for color in ("pca", "cholesky"):
        assert torch.allclose(recolor.before(PHOTOGRAPH, PHOTOGRAPH, color), PHOTOGRAPH, atol=1e-4)
    assert torch.allclose(recolor.match_histogram(PHOTOGRAPH, PHOTOGRAPH), PHOTOGRAPH, atol=0.01)


def test_plain_pictures_are_no_trouble() -> None:
    plain = torch.full((1, 3, 32, 32), 0.5)
    for color in recolor.BEFORE:
        assert bool(torch.isfinite(recolor.before(plain, PHOTOGRAPH, color)).all())
        assert float((recolor.before(PHOTOGRAPH, plain, color) - 0.5).abs().max()) < 0.06


def test_luminance_has_the_mean_and_deviation_of_the_photographs() -> None:
    changed = recolor.match_luminance(PAINTING, PHOTOGRAPH)
    assert torch.equal(changed[:, 0], changed[:, 1])
    light = recolor.luminance(PHOTOGRAPH)
    assert float(changed.mean()) == pytest.approx(float(light.mean()), abs=0.01)
    assert float(changed[:, 0].std()) == pytest.approx(float(light.std()), abs=0.01)


def test_chroma_put_back_keeps_luminance_and_hue_within_the_gamut() -> None:
    painted, photograph = noise(40, 48, seed=3), noise(40, 48, seed=4)
    found = recolor.with_chroma(painted, photograph)
    assert found.min() >= 0
    assert found.max() <= 1
    assert torch.allclose(recolor.luminance(found), recolor.luminance(painted), atol=1e-5)
    one = found - recolor.luminance(found)
    other = photograph - recolor.luminance(photograph)
    cosine = (one * other).sum(1) / (one.norm(dim=1) * other.norm(dim=1)).clamp_min(1e-6)
    assert float(cosine[one.norm(dim=1) > 0.01].min()) > 0.999


def test_a_photograph_gets_its_own_colours_back() -> None:
    assert torch.allclose(recolor.with_chroma(recolor.grey(PHOTOGRAPH), PHOTOGRAPH), PHOTOGRAPH, atol=1e-5)


def test_a_grey_picture_stays_grey_for_the_optimiser() -> None:
    image = recolor.grey(noise(8, 8, seed=5)).requires_grad_()
    seen, layers = recolor.see_grey(None, (image, ("pixels",)))
    assert layers == ("pixels",)
    (seen * noise(8, 8, seed=6)).sum().backward()
    assert torch.equal(image.grad[:, 0], image.grad[:, 2])
