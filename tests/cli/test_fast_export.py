"""gramarye fast export: networks as files for other programs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from gramarye.fast import stored
from gramarye.fast.painter import Painter

from .command import Gramarye, everything_in, refused


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small network of two styles in the working folder."""
    monkeypatch.chdir(tmp_path)
    painter = Painter(("swirl", "woodcut"), width=8, blocks=1, last=4, coarse=4)
    torch.nn.init.normal_(painter.leave.weight, std=0.05, generator=torch.Generator().manual_seed(0))
    stored.save(tmp_path / "small.safetensors", painter, {"steps": 1})
    return "small.safetensors"


def test_one_style_for_pytorch(network: str, gramarye: Gramarye) -> None:
    outcome = gramarye.ok("fast", "export", network, "-o", "one.pt2", "--style", "woodcut", "--json")
    assert outcome.answer["difference"] <= 1e-4
    expected = {"output": "one.pt2", "kind": "many", "style": "woodcut", "inputs": ["photograph"], "opset": None}
    assert {name: outcome.answer[name] for name in expected} == expected
    assert outcome.answer["bytes"] == Path("one.pt2").stat().st_size
    painted = torch.export.load("one.pt2").module()(photograph=torch.rand(1, 3, 35, 50))
    assert painted.shape == (1, 3, 35, 50)


def test_all_styles_as_onnx(network: str, gramarye: Gramarye) -> None:
    pytest.importorskip("onnxscript")
    outcome = gramarye.ok("fast", "export", network, "-o", "painter.onnx")
    assert outcome.out == ""
    assert outcome.err.startswith("written   painter.onnx: ONNX, opset ")
    assert "takes photograph and mix; differs by" in outcome.err
    assert outcome.err.count("\n") == 1  # nothing of what the exporters say


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (("small.safetensors", "-o", "painter.pth"), "unknown suffix for an exported network"),
        (("small.safetensors", "-o", "nowhere/painter.pt2"), "the folder to write to must exist"),
        (("small.safetensors", "-o", "painter.pt2", "--style", "woodcuts"), "Did you mean 'woodcut'?"),
        (("missing.safetensors", "-o", "painter.pt2"), "missing.safetensors"),
        (("link.pt2", "-o", "link.pt2"), "must not be one of the inputs"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_refused(arguments: tuple[str, ...], about: str, network: str, gramarye: Gramarye) -> None:
    Path("link.pt2").symlink_to(network)
    before = everything_in(Path())
    refused(gramarye("fast", "export", *arguments), about=about)
    assert everything_in(Path()) == before


def test_without_the_extra(network: str, gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    outcome = gramarye("fast", "export", network, "-o", "painter.onnx")
    refused(outcome, about='Pip install "gramarye[export]", or write a .pt2')


def test_the_output_is_needed(network: str, gramarye: Gramarye) -> None:
    assert gramarye("fast", "export", network).status == 2
