"""Painters in files: they come back as they were, and what is no painter is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from feedforward import CARD, anything, many, write_both
from gramarye.errors import WeightsError
from gramarye.fast import stored
from networks import picture

MANY, ANY = "fast-many.safetensors", "fast-any.safetensors"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_both(tmp_path_factory.mktemp("networks"))


def test_a_painter_of_many_styles_comes_back(folder: Path) -> None:
    painter, found = many(), stored.load(folder / MANY)
    assert (found.kind, found.name, found.card, found.styles) == ("many", "fast-many", CARD, painter.styles)
    assert len(found.sha256) == 64
    photograph, mix = picture(40, 52, 1), torch.eye(len(painter.styles))[2:3]
    with torch.no_grad():
        torch.testing.assert_close(found.painter(photograph, mix), painter(photograph, mix), rtol=0, atol=0.01)
    assert not any(each.requires_grad or each.is_meta for each in found.painter.state_dict().values())
    assert {each.dtype for each in found.painter.parameters()} == {torch.float32}
    assert not found.painter.training


def test_a_painter_of_any_style_comes_back_with_the_packages_encoder(folder: Path) -> None:
    painter, found = anything(), stored.load(folder / ANY)
    assert (found.kind, found.name, found.card, found.styles) == ("any", "fast-any", CARD, ())
    photograph, painting = picture(40, 52, 1), picture(48, 40, 2)
    with torch.no_grad():
        there, here = (each(photograph, each.remember(painting)) for each in (found.painter, painter))
    torch.testing.assert_close(there, here, rtol=0, atol=0.01)
    kept = load_file(folder / ANY)
    assert not any(name.startswith("encoder") for name in kept)
    numbers = sum(each.numel() for each in kept.values())
    assert (folder / ANY).stat().st_size < 2 * numbers + 100 * len(kept)  # float16, and its names


def test_the_encoder_has_the_precision_that_is_asked_for(folder: Path) -> None:
    assert stored.load(folder / ANY, torch.bfloat16).painter.encoder.dtype == torch.bfloat16


def test_weights_are_half_as_long_and_the_same_painter_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    assert {each.dtype for each in load_file(folder / MANY).values()} == {torch.float16}
    stored.save(tmp_path / "again.safetensors", many(), CARD)
    assert (tmp_path / "again.safetensors").read_bytes() == (folder / MANY).read_bytes()
    kept = stored.load(folder / MANY)
    stored.save(tmp_path / "third.safetensors", kept.painter, kept.card)  # what was rounded stays as it is
    assert (tmp_path / "third.safetensors").read_bytes() == (folder / MANY).read_bytes()


def test_what_is_too_large_for_float16_stays_float32(tmp_path: Path) -> None:
    painter = many()
    painter.leave.bias.data[0] = 1e6
    stored.save(tmp_path / "large.safetensors", painter, {})
    assert float(stored.load(tmp_path / "large.safetensors").painter.leave.bias[0]) == 1e6


def test_those_of_the_package_are_known_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stored, "FOLDER", folder)
    assert stored.load("many").embedded
    assert stored.load("any").embedded
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes((folder / MANY).read_bytes())
    assert not stored.load(str(copy)).embedded
    monkeypatch.setattr(stored, "FOLDER", tmp_path)
    with pytest.raises(WeightsError, match=r"are part of the package; got no .*Install gramarye again"):
        stored.load("many")


def changed(source: Path, target: Path, **said: object) -> Path:
    """A copy that says something else of itself."""
    from safetensors import safe_open

    with safe_open(source, framework="pt") as file:
        described = json.loads(file.metadata()["gramarye"])
    save_file(load_file(source), target, {"gramarye": json.dumps(described | said)})
    return target


@pytest.mark.parametrize(
    "said",
    [
        {"format": "painter 1"},
        {"kind": "all"},
        {"kind": "any"},
        {"kind": ["many"]},
        {"card": "none"},
        {"styles": []},
        {"styles": ["one", "one"]},
        {"styles": ["one", 2]},
        {"styles": "swirl"},
        {"styles": ["one", "two"]},
        {"sizes": {}},
        {"sizes": {"width": 16, "blocks": 1}},
        {"sizes": {"width": 16, "blocks": 1, "last": 8.5, "coarse": 8}},
        {"sizes": {"width": 16, "blocks": 1, "last": True, "coarse": 8}},
        {"sizes": {"width": 10**9, "blocks": 1, "last": 8, "coarse": 8}},
        {"sizes": {"width": 1024, "blocks": 100, "last": 8, "coarse": 8}},
        {"sizes": {"width": 32, "blocks": 1, "last": 8, "coarse": 8}},
    ],
    ids=str,
)
def test_a_description_that_does_not_fit_is_refused(folder: Path, tmp_path: Path, said: dict[str, object]) -> None:
    path = changed(folder / MANY, tmp_path / "changed.safetensors", **said)
    with pytest.raises(WeightsError, match=r"gramarye fast train wrote; got .*changed\.safetensors") as caught:
        stored.load(path)
    assert len(str(caught.value)) < 600


def test_another_encoder_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="whose encoder is not this version's vgg19-lite"):
        stored.load(changed(folder / ANY, tmp_path / "other.safetensors", encoder="0" * 64))


def test_weights_that_are_not_finite_or_missing_are_refused(folder: Path, tmp_path: Path) -> None:
    tensors = load_file(folder / MANY)
    described = {"gramarye": json.dumps({"format": stored.FORMAT, **stored._description(many()), "card": {}})}
    damaged = tensors | {"leave.bias": torch.full_like(tensors["leave.bias"], torch.nan)}
    save_file(damaged, tmp_path / "nan.safetensors", described)
    with pytest.raises(WeightsError, match=r"whose leave\.bias is not finite"):
        stored.load(tmp_path / "nan.safetensors")
    del tensors["leave.bias"]
    save_file(tensors, tmp_path / "less.safetensors", described)
    with pytest.raises(WeightsError, match="whose weights do not fit"):
        stored.load(tmp_path / "less.safetensors")


@pytest.mark.parametrize("name", ["vgg19-lite", "missing", "folder", "text", "empty", "bare"])
def test_what_is_no_painter_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "vgg19-lite":
        path = stored.FOLDER / "vgg19-lite.safetensors"
    elif name == "folder":
        path.mkdir()
    elif name == "bare":
        save_file({"a": torch.zeros(2)}, path)
    elif name != "missing":
        path.write_bytes(b"no network" if name == "text" else b"")
    with pytest.raises(WeightsError) as caught:
        stored.load(path)
    assert "\n" not in str(caught.value)


@settings(max_examples=40, deadline=None)
@given(place=st.floats(0, 1), value=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_file_is_a_painter_or_refused(folder: Path, place: float, value: int, cut: bool) -> None:
    data = bytearray((folder / MANY).read_bytes())
    at = min(len(data) - 1, round(place**3 * len(data)))  # more often in the header
    data[at] = value
    path = folder / "damaged.safetensors"
    path.write_bytes(data[:at] if cut else data)
    try:
        assert stored.load(path).styles
    except WeightsError as error:
        _one_line(error)


def _one_line(error: WeightsError) -> None:
    assert "\n" not in str(error)


def test_it_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="a painter is written to a file"):
        stored.save(tmp_path / "nowhere" / "one.safetensors", many(), {})
    with pytest.raises(WeightsError, match="a Painter or an AnyStyle; got Linear"):
        stored.save(tmp_path / "one.safetensors", torch.nn.Linear(2, 2), {})
    assert list(tmp_path.iterdir()) == []
