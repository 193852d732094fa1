"""The section on Gram matrices: ordered, compared, decomposed, painted from."""

from __future__ import annotations

import pytest
import torch

from brought import CONTENT, STYLE, brought, told
from gramarye.explain import gram
from gramarye.explain.features import PICTURES
from gramarye.explain.gram import gram_view, grams_of
from gramarye.pulling import finish


@pytest.fixture(autouse=True)
def _few_evaluations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gram, "EVALUATIONS", {"quick": 4, "full": 4})
    monkeypatch.setattr(gram, "RANKS", (1, 0))


def random_activations(channels: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {picture: torch.rand(1, channels, 7, 9, generator=generator) for picture in PICTURES}


def test_a_view_is_ordered_compared_and_decomposed() -> None:
    activations = random_activations(12)
    found, grams = gram_view("relu1_1", activations), grams_of(activations)
    assert sorted(found.order) == list(range(12))
    for picture in PICTURES:
        for row in (0, 5):
            entry = grams[picture][found.order[row], found.order[7]]
            assert float(found.matrices[picture][0, 0, row, 7]) == pytest.approx(float(entry))
        energies = torch.linalg.eigvalsh(grams[picture]).flip(0)
        assert found.eigenvalues[picture] == pytest.approx((energies / energies.sum()).tolist(), abs=1e-5)
        assert sum(found.eigenvalues[picture]) == pytest.approx(1)
    torch.testing.assert_close(found.missing, found.matrices["painting"] - found.matrices["result"])
    apart = ((grams["result"] - grams["painting"]) ** 2).sum().sqrt() / (grams["painting"] ** 2).sum().sqrt()
    assert found.distance["result"] == pytest.approx(float(apart))
    assert "painting" not in found.distance


def test_what_is_shown_of_a_wide_layer_is_binned() -> None:
    found = gram_view("relu4_1", random_activations(128))
    assert found.matrices["result"].shape == (1, 1, 64, 64)
    assert len(found.order) == 128


def test_the_section_tells_of_every_style_layer(monkeypatch) -> None:
    subject = brought(monkeypatch)
    found = told(gram.explain, subject)
    layers = subject.settings.style.layers
    assert [each.layer for each in found.views] == list(layers)
    assert list(found.pairs) == list(layers)
    assert all(len(entries) == gram.PAIRS for entries in found.pairs.values())
    blocks = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
    assert [each.layer for each in found.strokes] == blocks
    assert [(each.layer, each.rank) for each in found.components[:5]] == [
        ("relu1_1", 1),
        ("relu1_1", 2),
        ("relu1_1", 3),
        ("relu1_1", 4),
        ("relu2_1", 1),
    ]
    assert [each.rank for each in found.syntheses] == [1, 0]
    assert all(each.pixels.shape == STYLE.shape for each in found.syntheses)
    assert found.syntheses[0].energy < found.syntheses[1].energy == pytest.approx(1)


def test_full_depth_looks_closer_at_every_style_layer(monkeypatch) -> None:
    found = told(gram.explain, brought(monkeypatch, **{"style.layers": ("relu1_1", "relu1_2")}), "full")
    assert [each.layer for each in found.strokes] == ["relu1_1", "relu1_2"]


def test_a_texture_of_all_components_is_the_nearest_to_the_whole_matrices(monkeypatch) -> None:
    subject = brought(monkeypatch, **{"style.layers": ("relu1_1", "relu2_1")})
    one, whole = (finish(gram.synthesize(subject, rank, 30)) for rank in (1, 0))
    assert whole.whole < one.whole
    assert whole.whole == pytest.approx(whole.reached, rel=0.02)  # painted in half precision where that is native
    assert torch.equal(finish(gram.synthesize(subject, 1, 30)).pixels, one.pixels)


def test_findings_say_what_is_so(monkeypatch) -> None:
    unchanged = told(gram.explain, brought(monkeypatch, result=CONTENT))
    assert unchanged.findings[0].startswith("In 0 of 7 layers the result's Gram matrix is nearer")
    for view in unchanged.views:
        assert view.distance["result"] == pytest.approx(view.distance["photograph"], rel=1e-6)
    assert unchanged.strokes[0].entry.values["result"] == pytest.approx(
        unchanged.strokes[0].entry.values["photograph"], rel=1e-6
    )
