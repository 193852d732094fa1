"""Style has no where: exactly for positions, measured for tiles, on random activations and real photographs."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from brought import CONTENT, brought, double, told
from gramarye import images, weights
from gramarye.explain import shuffling
from gramarye.explain.section import fixed
from gramarye.explain.shuffling import grained, halved, shuffle_layer, shuffle_tiles, shuffled, tiled
from gramarye.statistics import gram_matrix
from gramarye.vgg import VGG

REAL = (
    "chelsea_cat.png",
    "dancing.jpg",
    "golden_gate.jpg",
    "kodim08.png",
    "kodim19.png",
    "kodim23.png",
    "tubingen.jpg",
)
LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1")


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(channels=st.integers(1, 9), rows=st.integers(1, 6), columns=st.integers(1, 7), seed=st.integers(0, 1000))
def test_positions_move_as_wholes_and_no_gram_matrix_changes(channels, rows, columns, seed) -> None:
    activation = random(1, channels, rows, columns, seed=seed)
    moved = shuffled(activation, fixed(seed))
    before, after = (sorted(each[0].flatten(1).T.tolist()) for each in (activation, moved))
    assert before == after
    gram = gram_matrix(activation)
    assert float((gram_matrix(moved) - gram).abs().max()) <= 1e-12 * float(gram.abs().max())


def test_the_content_loss_of_a_shuffle_is_on_average_twice_the_variance() -> None:
    values = random(4, 3)  # positions, channels
    losses = [float((values[list(order)] - values).square().mean()) for order in permutations(range(4))]
    variance = float(values.var(0, correction=0).mean())
    assert sum(losses) / len(losses) == pytest.approx(2 * variance)


def test_a_layer_is_measured_against_what_it_is_compared_with() -> None:
    names = ("photograph", "painting", "result", "grain", "half")
    seen = {name: random(1, 5, 6, 8, seed=seed) for seed, name in enumerate(names)}
    found = shuffle_layer("relu1_1", seen, fixed(3), 2)
    photograph, moved = seen["photograph"], shuffled(seen["photograph"], fixed(3))
    for name, expected in (
        ("content", moved),
        ("half", seen["half"]),
        ("result", seen["result"]),
        ("grain", seen["grain"]),
    ):
        assert getattr(found, name) == pytest.approx(float(((expected - photograph) ** 2).mean()), rel=1e-6)
    assert found.nothing == pytest.approx(float((photograph**2).mean()), rel=1e-6)
    assert found.style == pytest.approx(found.style_after, rel=1e-9)
    assert found.gram_change < 1e-12
    torch.testing.assert_close(found.gram_before, found.gram_after)
    assert found.maps_before.shape == (2, 1, 6, 8)
    assert not torch.equal(found.maps_before, found.maps_after)


@given(tile=st.integers(1, 9), height=st.integers(9, 30), width=st.integers(9, 30), seed=st.integers(0, 1000))
def test_tiles_are_moved_and_what_is_left_over_stays(tile, height, width, seed) -> None:
    pixels = random(1, 3, height, width).float()
    moved, count = tiled(pixels, tile, fixed(seed))
    rows, columns = height // tile, width // tile
    assert count == rows * columns
    assert torch.equal(moved[:, :, rows * tile :], pixels[:, :, rows * tile :])
    assert torch.equal(moved[:, :, :, columns * tile :], pixels[:, :, :, columns * tile :])

    def tiles(picture: torch.Tensor) -> list[list[float]]:
        return sorted(
            picture[0, :, tile * y : tile * (y + 1), tile * x : tile * (x + 1)].flatten().tolist()
            for y in range(rows)
            for x in range(columns)
        )

    assert tiles(moved) == tiles(pixels)


def test_grain_is_faint_and_half_the_resolution_keeps_the_size() -> None:
    grey = torch.full((1, 3, 60, 80), 0.5)
    assert float((grained(grey, fixed(0)) - grey).std()) == pytest.approx(shuffling.GRAIN, rel=0.05)
    torch.testing.assert_close(halved(grey), grey)
    assert halved(CONTENT[:, :, :, :51]).shape == (1, 3, 48, 51)


def test_tiles_as_large_as_the_picture_change_nothing() -> None:
    network, square = double(), CONTENT[:, :, :, :48].double()
    seen = {name: network(pixels, ["relu2_1"]) for name, pixels in (("photograph", square), ("painting", 1 - square))}
    found = shuffle_tiles(network, square, seen, 48, 0)
    assert (found.count, found.gram["relu2_1"], found.content["relu2_1"]) == (1, 0, 0)
    smaller = shuffle_tiles(network, square, seen, 8, 0)
    assert smaller.count == 36
    after = network(smaller.pixels, ["relu2_1"])["relu2_1"]
    old, new, target = (
        gram_matrix(each["relu2_1"]) for each in (seen["photograph"], {"relu2_1": after}, seen["painting"])
    )
    assert smaller.gram["relu2_1"] == pytest.approx(float((new - old).norm() / (old - target).norm()))


def test_the_section_shuffles_every_layer_and_tiles_that_fit(monkeypatch) -> None:
    subject = brought(monkeypatch)
    found = told(shuffling.explain, subject)
    assert len(found.layers) == 9
    assert [each.tile for each in found.tiles] == [16, 8, 1]  # of 48×64 px
    assert all(each.gram_change < 1e-5 for each in found.layers)
    again = told(shuffling.explain, subject)
    assert torch.equal(found.tiles[1].pixels, again.tiles[1].pixels)
    assert found.findings == again.findings


def test_findings_count_the_layers_that_do_not_rise_tenfold(monkeypatch) -> None:
    found = told(shuffling.explain, brought(monkeypatch))
    tenfold = [
        sum(each.content >= 10 * getattr(each, name) for each in found.layers) for name in ("grain", "half", "result")
    ]
    assert found.findings[2].endswith(f"tenfold or more in {tenfold[0]}, {tenfold[1]} and {tenfold[2]} of 9 layers.")


def sees_tenfold(network: VGG, path: Path, long_side: int) -> None:
    """Tenfold what faint grain costs; what half the resolution costs lies between."""
    pixels = images.load(path).pixels
    pixels = images.resize(pixels, images.fitted_size((pixels.shape[2], pixels.shape[3]), long_side))
    others = {"photograph": pixels, "grain": grained(pixels, fixed(0)), "half": halved(pixels)}
    with torch.no_grad():
        seen = {picture: network(each, LAYERS) for picture, each in others.items()}
    for layer in LAYERS:
        photograph, grain, half = (each[layer] for each in seen.values())
        moved = shuffled(photograph, fixed(0))
        gram, after = gram_matrix(photograph), gram_matrix(moved)
        assert float((after - gram).abs().max()) <= 1e-5 * float(gram.abs().max())
        loss, faint, blurred = (float((each - photograph).square().mean()) for each in (moved, grain, half))
        assert loss >= 10 * faint
        assert loss >= 3 * blurred


@pytest.mark.parametrize("name", REAL)
def test_real_photographs_lose_their_content_and_no_gram_matrix(name, shared) -> None:
    sees_tenfold(VGG(weights.load("vgg19-lite", None), pooling="avg"), shared / "images" / "content" / name, 192)


@pytest.mark.parametrize(("pooling", "padding"), [("avg", "replicate-first"), ("max", "zeros")])
def test_so_they_do_in_the_full_network(pooling, padding, shared) -> None:
    loaded = weights.load("vgg19", shared / "weights" / "vgg19_oxford_conv.safetensors")
    network = VGG(loaded, pooling=pooling, padding=padding)
    for name in ("dancing.jpg", "kodim08.png", "tubingen.jpg"):
        sees_tenfold(network, shared / "images" / "content" / name, 128)
