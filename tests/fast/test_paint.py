"""Painting in one pass: which network paints what, mixing, strength, colours, recipes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from feedforward import STYLES, anything, many, write_both
from gramarye import demo, images, recolor
from gramarye.errors import ImageError, SettingsError, WeightsError
from gramarye.fast import stored
from gramarye.fast.paint import paint, painter_for, prepare
from networks import picture

PHOTOGRAPH = picture(44, 60, 1)


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's networks, for all tests here."""
    made = write_both(tmp_path_factory.mktemp("networks"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored, "FOLDER", made)
        yield made


@pytest.fixture
def paintings(tmp_path: Path) -> list[str]:
    for number in (2, 3):
        images.save(picture(64, 72, number), tmp_path / f"{number}.png")
    return [str(tmp_path / "2.png"), str(tmp_path / "3.png")]


def one(style: object, **more: object) -> torch.Tensor:
    return painter_for(style, precision="float32", **more)(PHOTOGRAPH)


# ---- which network ---------------------------------------------------------------------------------


def test_bundled_paintings_are_painted_by_the_network_that_knows_them(tmp_path: Path, paintings: list[str]) -> None:
    path = demo.path_of("cubist")
    again = tmp_path / "another name.png"
    images.save(images.load(path).pixels, again)  # another file, the same pixels
    for style in ("demo:cubist", "cubist", str(path), path, again, images.load(path).pixels, images.load(path)):
        found = painter_for(style)
        assert (found.network.kind, found.names) == ("many", ("cubist",))
    assert painter_for(["demo:cubist", "demo:swirl"]).names == ("cubist", "swirl")
    for style in (paintings[0], paintings, ["demo:cubist", paintings[0]], 1 - images.load(path).pixels):
        found = painter_for(style)
        assert (found.network.kind, found.names) == ("any", ())
    assert painter_for("demo:cubist", network="any").network.kind == "any"


def test_a_file_named_like_a_style_is_the_file(paintings: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(paintings[0]).parent)
    Path("2.png").rename("cubist")
    assert painter_for("cubist").network.kind == "any"
    assert painter_for("demo:cubist").network.kind == "many"


def test_a_network_of_ones_own_knows_its_styles_by_name_and_by_its_card(tmp_path: Path, paintings: list[str]) -> None:
    path, sha256 = tmp_path / "own.safetensors", images.sha256_of(paintings[0])
    stored.save(path, many(("cubist", "sea")), {"paintings": {"sea": sha256, "nothing": "0" * 64}})
    for style in ("sea", "demo:sea", paintings[0]):
        found = painter_for(style, network=path)
        assert found.names == ("sea",)
    assert found.origins[0]["sha256"] == sha256
    mine = painter_for("cubist", network=str(path))  # its own of that name, not the bundled painting
    assert (mine.names, mine.origins) == (("cubist",), ({"name": "cubist", "path": None, "sha256": None},))
    with pytest.raises(SettingsError, match=r"that it learned; got 3\.png\. Known: cubist, sea; for any other"):
        painter_for(paintings[1], network=path)
    with pytest.raises(SettingsError, match=r"unknown style; got 'see'\. Did you mean 'sea'\?"):
        painter_for("see", network=path)


def test_what_cannot_be_painted_is_told_in_one_line(paintings: list[str], tmp_path: Path) -> None:
    refusals = [
        (SettingsError, "unknown style; got 'cubits'", {"style": "demo:cubits"}),
        (SettingsError, "unknown style; got 'cubits'", {"style": "cubits"}),
        (ImageError, "can be read", {"style": "missing.png"}),
        (SettingsError, "a painting is needed", {"style": []}),
        (SettingsError, "one share for each of the 2 styles; got 1", {"style": paintings, "mix": (1,)}),
        (SettingsError, "not be negative", {"style": paintings, "mix": (1, -1)}),
        (SettingsError, "at least positive", {"style": paintings, "mix": (0, 0)}),
        (SettingsError, "from the photograph, 0, to the painting, 1; got 1.5", {"style": paintings, "strength": 1.5}),
        (SettingsError, "strength", {"style": paintings, "strength": float("nan")}),
        (SettingsError, "that it learned; got 2.png", {"style": paintings[0], "network": "many"}),
        (SettingsError, "unknown device", {"style": "cubist", "device": "gpu"}),
        (SettingsError, "unknown precision", {"style": "cubist", "precision": "half"}),
        (WeightsError, "existing file", {"style": "cubist", "network": tmp_path / "missing.safetensors"}),
    ]
    for kind, about, asked in refusals:
        with pytest.raises(kind) as caught:
            painter_for(asked.pop("style"), **asked)
        assert about in str(caught.value)
        assert "\n" not in str(caught.value)


# ---- the pass --------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(height=st.integers(32, 70), width=st.integers(32, 70), kind=st.sampled_from(["many", "any"]))
def test_every_size_comes_back_within_range(height: int, width: int, kind: str) -> None:
    pixels = picture(height, width, 5)
    found = painter_for("cubist", network=kind)(pixels)
    assert found.shape == pixels.shape
    assert found.dtype == torch.float32
    assert 0 <= float(found.min()) <= float(found.max()) <= 1


@pytest.mark.parametrize("kind", ["many", "any"])
def test_a_pass_is_the_networks_own_and_can_be_differentiated_from(kind: str) -> None:
    painter = painter_for("swirl", network=kind, precision="float32")
    with torch.no_grad():
        own = painter.network.painter(PHOTOGRAPH, painter.told).clamp(0, 1)
    found = painter(PHOTOGRAPH)
    torch.testing.assert_close(found, own)
    assert torch.equal(found, painter(PHOTOGRAPH))
    assert not found.is_inference()
    found.clone().requires_grad_().square().sum().backward()
    assert float((found - PHOTOGRAPH).abs().max()) > 0.01


def test_bfloat16_is_near_float32() -> None:
    for kind in ("many", "any"):
        short, long = (painter_for("swirl", network=kind, precision=each) for each in ("bfloat16", "float32"))
        assert float((short(PHOTOGRAPH) - long(PHOTOGRAPH)).abs().mean()) < 0.02


@pytest.mark.parametrize("kind", ["many", "any"])
def test_a_mix_lies_between_its_styles(kind: str, paintings: list[str]) -> None:
    styles = ["cubist", "swirl"] if kind == "many" else paintings
    first, second = (one(each, network=kind) for each in styles)
    torch.testing.assert_close(one(styles, network=kind, mix=(1, 0)), first)
    torch.testing.assert_close(one(styles, network=kind, mix=(0, 5)), second)
    torch.testing.assert_close(one(styles, network=kind), one(styles, network=kind, mix=(2, 2)))
    near = one(styles, network=kind, mix=(70, 30))
    assert float((near - first).norm()) < float((near - second).norm())
    assert float((near - first).abs().max()) > 0


@pytest.mark.parametrize("kind", ["many", "any"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_strength_goes_from_the_photograph_to_the_painting(kind: str, precision: str) -> None:
    def painted(strength: float) -> torch.Tensor:
        return painter_for("swirl", network=kind, precision=precision, strength=strength)(PHOTOGRAPH)

    assert torch.equal(painted(0), PHOTOGRAPH)
    whole = painted(1)
    assert float((whole - PHOTOGRAPH).abs().max()) > 0.1
    torch.testing.assert_close(painted(0.25), 0.75 * PHOTOGRAPH + 0.25 * whole)


def test_the_whole_painting_is_the_networks_own() -> None:
    painter = painter_for("swirl", network="any", precision="float32")
    with torch.no_grad():
        own = painter.network.painter(PHOTOGRAPH, painter.told).clamp(0, 1)
    torch.testing.assert_close(painter(PHOTOGRAPH), own)


def test_a_painting_is_looked_at_at_the_size_that_is_asked_for(tmp_path: Path) -> None:
    fine, broad = (painter_for("swirl", network="any", style_size=size) for size in (64, 256))
    assert (fine.style_size, broad.style_size) == (64, 256)
    assert not torch.equal(fine(PHOTOGRAPH), broad(PHOTOGRAPH))
    assert painter_for("swirl", network="many", style_size=64).style_size == 0
    for said, size in ((96, 96), ("large", 512), (True, 512), (-1, 512)):
        stored.save(tmp_path / "own.safetensors", anything(), {"style_size": said})
        assert painter_for("swirl", network=tmp_path / "own.safetensors").style_size == size
    long = picture(40, 640, 3)
    assert painter_for(long, style_size=64)(PHOTOGRAPH).shape == PHOTOGRAPH.shape


# ---- colours ---------------------------------------------------------------------------------------


def test_colours_of_the_photograph() -> None:
    painted = one("swirl")

    def colored(color: str) -> torch.Tensor:
        return paint(PHOTOGRAPH, "swirl", color=color, precision="float32").pixels

    torch.testing.assert_close(colored("style"), painted)
    torch.testing.assert_close(colored("after"), recolor.with_chroma(painted, PHOTOGRAPH))
    light = recolor.luminance(one_of_grey())
    torch.testing.assert_close(recolor.luminance(colored("luminance")), light, atol=1e-4, rtol=0)
    for color in ("histogram", "pca", "cholesky"):
        off, there = (each.mean((2, 3)) - PHOTOGRAPH.mean((2, 3)) for each in (painted, colored(color)))
        assert float(there.norm()) < 0.2 * float(off.norm())


def one_of_grey() -> torch.Tensor:
    return painter_for("swirl", precision="float32")(recolor.grey(PHOTOGRAPH))


# ---- results and recipes ---------------------------------------------------------------------------


def test_a_result_has_its_recipe(tmp_path: Path, paintings: list[str], folder: Path) -> None:
    images.save(PHOTOGRAPH, tmp_path / "photo.png")
    result = paint(tmp_path / "photo.png", paintings, size=40, mix=(30, 70), strength=0.5, color="after")
    assert result.pixels.shape == (1, 3, 29, 40)
    assert (result.terms, result.history, result.total) == ([], (), 0)
    assert result.seconds > 0
    assert result.image.size == (40, 29)
    recipe = result.recipe
    assert recipe["fast"] == {"kind": "any", "styles": []}
    assert recipe["content"]["name"] == "photo.png"
    assert [each["path"] for each in recipe["styles"]] == paintings
    sha256 = images.sha256_of(folder / "fast-any.safetensors")
    assert recipe["network"] == {"name": "fast-any", "source": "embedded", "sha256": sha256, "file": None}
    kept = recipe["settings"]
    assert (kept["size"], kept["steps"], kept["strength"], kept["color"]) == (40, 0, 0.5, "after")
    assert (kept["style"]["mix"], kept["style"]["size"]) == ([30.0, 70.0], 512)
    result.save(tmp_path / "out.png")
    assert images.read_recipe(tmp_path / "out.png") == recipe


def test_without_a_size_it_is_the_photographs_own() -> None:
    result = paint(PHOTOGRAPH, "swirl")
    assert result.pixels.shape == PHOTOGRAPH.shape
    assert result.settings.size == 60
    assert result.recipe["fast"] == {"kind": "many", "styles": ["swirl"]}
    assert result.recipe["styles"][0]["name"] == "swirl.jpg"


def test_alpha_is_kept(tmp_path: Path) -> None:
    images.save(PHOTOGRAPH, tmp_path / "photo.png", alpha=PHOTOGRAPH[:, :1])
    paint(tmp_path / "photo.png", "swirl", size=48).save(tmp_path / "out.png")
    assert images.load(tmp_path / "out.png").alpha is not None


def test_what_is_done_is_known_by_its_recipe(tmp_path: Path, paintings: list[str]) -> None:
    images.save(PHOTOGRAPH, tmp_path / "photo.png")
    output = tmp_path / "out.png"

    def waiting(style: object = "swirl", **asked: object) -> bool:
        painter = painter_for(style, **asked)
        return not prepare(painter, tmp_path / "photo.png").is_done(output)

    assert waiting()
    images.save(PHOTOGRAPH, output)
    assert waiting()
    prepare(painter_for("demo:swirl"), tmp_path / "photo.png").result().save(output)
    assert not waiting()
    assert not waiting(demo.path_of("swirl"))
    assert waiting("cubist")
    assert waiting(strength=0.9)
    assert waiting(network="any")
    images.save(picture(44, 60, 9), tmp_path / "photo.png")
    assert waiting()


def test_sizes_and_colours_that_cannot_be() -> None:
    painter = painter_for("swirl")
    for asked, about in (({"size": 8}, "size must lie in 32"), ({"color": "blue"}, "unknown color")):
        with pytest.raises(SettingsError, match=about):
            prepare(painter, PHOTOGRAPH, **asked)


def test_every_bundled_painting_is_a_style() -> None:
    assert {path.stem for path in demo.styles()} == set(STYLES)
