"""Feature maps: sorted, shrunk, compared, and told of three pictures."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from brought import CONTENT, brought, double, told
from gramarye.errors import SettingsError
from gramarye.explain import features
from gramarye.explain.features import PICTURES, atlas, energies, one_of_each_block, small_maps
from gramarye.statistics import gram_matrix


def random_activations(channels: int = 32, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(1, channels, 6, 8, generator=generator) * (1 + torch.arange(channels)).view(1, -1, 1, 1)
            for name in PICTURES}  # fmt: skip


def test_energies_are_the_diagonal_of_the_gram_matrix() -> None:
    found = random_activations()["photograph"]
    torch.testing.assert_close(energies(found), gram_matrix(found)[0].diagonal())


@pytest.mark.parametrize(
    ("size", "expected"), [((6, 8), (6, 8)), ((64, 128), (32, 64)), ((200, 3), (64, 1)), ((1, 300), (1, 64))]
)
def test_maps_are_averaged_down_and_never_enlarged(size, expected) -> None:
    maps = torch.rand(1, 2, *size)
    small = small_maps(maps)
    assert small.shape[2:] == expected
    if all(old % new == 0 for old, new in zip(size, expected, strict=True)):
        torch.testing.assert_close(small.mean((2, 3)), maps.mean((2, 3)))


def test_an_atlas_has_the_loudest_channels_of_the_photograph_first() -> None:
    found = random_activations()
    made = atlas(double(), "relu2_1", found, 5)
    loudness = [(float((found["photograph"][0, c] ** 2).mean()), c) for c in range(32)]
    ranked = sorted(loudness, reverse=True)
    assert list(made.channels) == [channel for _, channel in ranked[:5]]
    assert made.energies["photograph"] == pytest.approx([energy for energy, _ in ranked[:5]])
    assert made.energies["result"][1] == pytest.approx(float((found["result"][0, made.channels[1]] ** 2).mean()))
    for picture in PICTURES:
        assert torch.equal(made.maps[picture][2, 0], found[picture][0, made.channels[2]])
    fewest = next(k for k in range(1, 33) if sum(e for e, _ in ranked[:k]) >= sum(e for e, _ in ranked) / 2)
    assert made.half == fewest


def test_which_picture_the_loudness_goes_by() -> None:
    found = random_activations()
    found["result"] = 7 * found["painting"]
    assert atlas(double(), "relu2_1", found, 5).to_painting == pytest.approx(1, abs=1e-6)
    found["result"] = found["photograph"].flip(1)
    assert atlas(double(), "relu2_1", found, 5).to_photograph < 0
    found["result"] = torch.zeros_like(found["result"])
    assert atlas(double(), "relu2_1", found, 5).to_painting == 0


def test_one_layer_of_each_block() -> None:
    layers = ("pixels", "relu1_1", "relu1_2", "pool1", "conv3_1", "relu3_2")
    assert one_of_each_block(layers) == ("pixels", "relu1_1", "conv3_1")


def test_the_section_follows_all_layers_of_the_settings(monkeypatch) -> None:
    subject = brought(monkeypatch)
    found = told(features.explain, subject)
    settings = subject.settings
    assert {each.layer for each in found.atlases} == {*settings.style.layers, *settings.content.layers}
    fields = [each.receptive_field for each in found.atlases]
    assert fields == sorted(fields)
    for each in found.atlases:
        assert each.maps["result"].shape[0] == len(each.channels) <= features.ATLAS["quick"]
        assert max(each.maps["result"].shape[2:]) <= features.MAP_SIDE
    strongest = [each for each in found.channels if each.layer == "relu2_1"]
    assert [each.index for each in strongest] == list(found.atlases[2].channels[: features.COMPARED["quick"]])
    with torch.no_grad():
        maps = subject.network(CONTENT, ["relu2_1"])["relu2_1"]
    assert strongest[0].peaks["photograph"].value == pytest.approx(float(maps[0, strongest[0].index].max()))
    assert {each.layer for each in found.saliencies} == {each.layer for each in found.channels}
    assert not found.saliencies[0].map.requires_grad


def test_full_depth_follows_channels_of_every_layer(monkeypatch) -> None:
    found = told(
        features.explain,
        brought(monkeypatch, **{"style.layers": ("relu1_1", "conv_2"), "content.layers": "pool1"}),
        "full",
    )
    assert [each.layer for each in found.saliencies] == ["relu1_1", "conv1_2", "pool1"]


def test_findings_say_what_is_so(monkeypatch) -> None:
    subject = brought(monkeypatch, result=CONTENT)
    findings = " ".join(told(features.explain, subject).findings)
    assert "are still as loud as the photograph's" in findings
    assert "goes by the painting" not in findings
    assert "156×156" in findings


def test_a_layer_beyond_the_weights_is_refused(monkeypatch) -> None:
    with pytest.raises(SettingsError, match="ends at conv5_1"):
        brought(monkeypatch, **{"content.layers": "relu5_2"})
    with pytest.raises(SettingsError, match="unknown layer"):
        atlas(double(), "relu7_1", random_activations(), 3)


def test_random_weights_are_not_called_mixtures(monkeypatch) -> None:
    found = told(features.explain, brought(monkeypatch))
    assert not found.mixed
    assert "mixes channels" not in " ".join(found.findings)
    mixed = SimpleNamespace(**{**vars(found), "mixed": True})
    assert "vgg19-lite" in features.Features._caveat(mixed)[0]
