"""Networks as files for other programs: the same pictures, at any size; what a file says of itself."""

from __future__ import annotations

import json
import sys
import zipfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gramarye.errors import ImageError, MissingExtraError, SettingsError, WeightsError
from gramarye.fast import any_style
from gramarye.fast import export as exporting
from gramarye.fast.any_style import AnyStyle
from gramarye.fast.export import Exported
from gramarye.fast.painter import Painter
from networks import picture

SIZES = [(32, 32), (64, 64), (63, 65), (250, 333), (33, 140)]
STYLES = ("swirl", "woodcut", "mosaic")
CARD = {"steps": 3, "losses": {"held out": 0.5}}


def many() -> SimpleNamespace:
    """A network whose parameters are all other than at the beginning."""
    torch.manual_seed(0)
    painter = Painter(STYLES, width=8, blocks=1, last=4, coarse=4)
    with torch.no_grad():
        for parameter in painter.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return SimpleNamespace(kind="many", painter=painter.eval(), card=CARD, styles=STYLES)


def anything() -> SimpleNamespace:
    """With a decoder that is not trained, but does something."""
    torch.manual_seed(0)
    painter = AnyStyle(any_style.encoder()).eval()
    torch.nn.init.normal_(painter.leave.weight, std=0.02)
    painter.measure([picture(64, 72, seed) for seed in (1, 2)])
    return SimpleNamespace(kind="any", painter=painter, card=CARD, styles=())


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Exported]:
    """Files of every kind, written once."""
    pytest.importorskip("onnxscript")
    folder = tmp_path_factory.mktemp("exported")
    wanted = {
        "many.onnx": (many(), {}),
        "one.pt2": (many(), {"style": "woodcut"}),
        "any.onnx": (anything(), {}),
        "painting.pt2": (anything(), {"style": "wave.jpg", "painting": picture(70, 64, 5)}),
    }
    return {name: exporting.export(network, folder / name, **options) for name, (network, options) in wanted.items()}


@cache
def runner(path: Path) -> exporting.Run:
    """What a file paints; it is read once, which takes two seconds."""
    make = exporting._onnx_runner if path.suffix == ".onnx" else exporting._pt2_runner
    return make(path.read_bytes())


def run(path: Path, **inputs: torch.Tensor) -> torch.Tensor:
    return runner(path)(**inputs)


def described(path: Path) -> dict[str, object]:
    if path.suffix == ".pt2":
        with zipfile.ZipFile(path) as parts:
            return json.loads(parts.read(next(name for name in parts.namelist() if name.endswith("/gramarye.json"))))
    import onnx

    properties = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    return json.loads(properties["gramarye"])


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_many_styles_at_any_size(written: dict[str, Exported], size: tuple[int, int]) -> None:
    photograph, mix = picture(*size, 1), torch.tensor([[0.2, 0.0, 0.8]])
    with torch.no_grad():
        ours, woodcut = (many().painter(photograph, each).clamp(0, 1) for each in (mix, torch.eye(3)[1:2]))
    theirs = run(written["many.onnx"].path, photograph=photograph, mix=mix)
    torch.testing.assert_close(theirs, ours, rtol=0, atol=exporting.TOLERANCE)
    theirs = run(written["one.pt2"].path, photograph=photograph)
    torch.testing.assert_close(theirs, woodcut, rtol=0, atol=exporting.TOLERANCE)


@pytest.mark.parametrize(("size", "other"), [((64, 64), (48, 90)), ((63, 65), (64, 64)), ((250, 333), (77, 101))])
def test_any_style_at_any_size(written: dict[str, Exported], size: tuple[int, int], other: tuple[int, int]) -> None:
    painter, photograph, painting = anything().painter, picture(*size, 1), picture(*other, 2)
    with torch.no_grad():
        ours = painter(photograph, painter.remember(painting), 0.6).clamp(0, 1)
        fixed = painter(photograph, painter.remember(picture(70, 64, 5)), 0.6).clamp(0, 1)
    alpha = torch.tensor([0.6])
    theirs = run(written["any.onnx"].path, photograph=photograph, style=painting, alpha=alpha)
    torch.testing.assert_close(theirs, ours, rtol=0, atol=exporting.TOLERANCE)
    theirs = run(written["painting.pt2"].path, photograph=photograph, alpha=alpha)
    torch.testing.assert_close(theirs, fixed, rtol=0, atol=exporting.TOLERANCE)


def test_a_file_says_what_it_is_and_nothing_of_this_machine(written: dict[str, Exported]) -> None:
    for name, done in written.items():
        found = described(done.path)
        assert found["style"] == {"one.pt2": "woodcut", "painting.pt2": "wave.jpg"}.get(name)
        assert found["card"] == CARD
        assert found["styles"] == (list(STYLES) if done.kind == "many" else [])
        for word in (Path(exporting.__file__).parent, Path(__file__).parent, Path(torch.__file__).parent):
            assert str(word).encode() not in done.path.read_bytes(), name


def test_what_was_written_is_told(written: dict[str, Exported]) -> None:
    for name, done in written.items():
        assert done.path.name == name
        assert done.size == done.path.stat().st_size
        assert done.difference <= 1e-4
        assert done.opset == (exporting.OPSET if name.endswith(".onnx") else None)
    assert written["many.onnx"].inputs == ("photograph", "mix")
    assert written["one.pt2"].inputs == ("photograph",)
    assert written["any.onnx"].inputs == ("photograph", "style", "alpha")
    assert written["painting.pt2"].inputs == ("photograph", "alpha")


def test_names_and_sizes_in_an_onnx_file(written: dict[str, Exported]) -> None:
    import onnx

    model = onnx.load(written["any.onnx"].path)
    onnx.checker.check_model(model)
    shapes = {
        value.name: [each.dim_param or each.dim_value for each in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert shapes == {
        "photograph": [1, 3, "height", "width"],
        "style": [1, 3, "style_height", "style_width"],
        "alpha": [1],
        "painting": [1, 3, "height", "width"],
    }
    assert [each.version for each in model.opset_import if not each.domain] == [exporting.OPSET]
    assert {each.domain for each in model.opset_import} == {""}  # nothing but the standard's own operators


@pytest.mark.parametrize("difference", [0.5, float("nan")])
def test_a_file_that_paints_otherwise_is_not_written(
    difference: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, made in (("_traced", None), ("_as_pt2", b"file"), ("_pt2_runner", None), ("compare", difference)):
        monkeypatch.setattr(exporting, name, lambda *_, made=made: made)
    with pytest.raises(WeightsError, match=r"must paint as the network does, within 0.001; got .*Write a .onnx"):
        exporting.export(many(), tmp_path / "one.pt2", style="mosaic")
    assert list(tmp_path.iterdir()) == []


def test_the_network_itself_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    network = anything()
    network.painter.half().train()
    module = exporting._module(network, None, None)
    assert network.painter.training
    assert {each.dtype for each in network.painter.parameters()} == {torch.float16}
    assert {each.dtype for each in module.painter.parameters()} == {torch.float32}


@pytest.mark.parametrize("missing", ["onnx", "onnxscript", "onnxruntime"])
def test_without_the_extra(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError, match=r"Pip install \"gramarye\[export\]\", or write a .pt2"):
        exporting.check(tmp_path / "painter.onnx")
    assert exporting.check(tmp_path / "painter.pt2") == (tmp_path / "painter.pt2").resolve()


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"unknown suffix for an exported network; got '.pt' in"):
        exporting.check(tmp_path / "painter.pt")
    with pytest.raises(ImageError, match="folder to write to must exist"):
        exporting.check(tmp_path / "nowhere" / "painter.pt2")
    with pytest.raises(SettingsError, match="Did you mean 'woodcut'"):
        exporting.export(many(), tmp_path / "painter.pt2", style="woodcuts")
