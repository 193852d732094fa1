"""The embedded network's own making, in small: distil, go on, calibrate, compare."""

from __future__ import annotations

import io
import runpy
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import torch

from gramarye import images, machine, weights
from networks import picture, random_weights

TRAINING = Path(__file__).resolve().parents[2] / "training"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a script in this process, since importing takes most of its time; gives what it prints."""
    monkeypatch.syspath_prepend(str(TRAINING))
    monkeypatch.setattr(machine, "keep_memory", lambda: None)

    def ran(script: str, *arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        with redirect_stdout(io.StringIO()) as said:
            runpy.run_path(str(TRAINING / script), run_name="__main__")
        return said.getvalue()

    return ran


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A random teacher down to conv5_1, six photographs and three paintings."""
    teacher = random_weights("vgg19")
    deeper = [name for name in teacher.tensors if name.startswith(("conv5_2", "conv5_3", "conv5_4"))]
    for name in deeper:
        del teacher.tensors[name]
    weights.write(teacher, tmp_path / "teacher.safetensors")
    for kind, count in (("photographs", 6), ("paintings", 3)):
        (tmp_path / kind).mkdir()
        for index in range(count):
            images.save(picture(48, 64, index + len(kind)), tmp_path / kind / f"{index}.png")
    return tmp_path


def test_distil_go_on_calibrate_compare(folder: Path, run: Callable[..., str]) -> None:
    common = (folder / "teacher.safetensors", folder / "photographs", folder / "paintings")
    small = ("--out", folder / "run", "--side", 32, "--batch", 2, "--fresh", 2, "--pool", 4, "--hold-out", 2)
    run("distill.py", *common, *small, "--minutes", 0.03, "--device", "cpu")
    first = torch.load(folder / "run" / "checkpoint.pt", weights_only=True)
    assert first["step"] > 0
    said = run("distill.py", *common, *small, "--minutes", 0.06, "--device", "cpu")
    assert f"going on from step {first['step']}" in said
    second = torch.load(folder / "run" / "checkpoint.pt", weights_only=True)
    assert second["step"] > first["step"]
    made = folder / "lite.safetensors"
    run(
        "calibrate.py", folder / "teacher.safetensors", folder / "run" / "checkpoint.pt", folder / "photographs",
        folder / "paintings", "--hold-out", 2, "--steps", 5, "--parts", 4, "--out", made,
    )  # fmt: skip
    settled = folder / "settled.safetensors"
    run(
        "settle.py", folder / "teacher.safetensors", folder / "run" / "checkpoint.pt", made, folder / "photographs",
        folder / "paintings", "--last", 2, "--out", settled,
    )  # fmt: skip
    lite = weights.verify(settled)
    assert lite.network == "vgg19-lite"
    assert lite.calibration["relu5_1"].shape == (128, 128)
    assert settled.stat().st_size < 3_000_000
    again = folder / "again.safetensors"
    run(
        "calibrate.py", folder / "teacher.safetensors", settled, folder / "photographs", folder / "paintings",
        "--hold-out", 2, "--steps", 5, "--parts", 4, "--taps", "relu4", "--out", again,
    )  # fmt: skip
    moved, before = (weights.verify(each).calibration for each in (again, settled))
    assert {tap for tap in moved if not torch.equal(moved[tap], before[tap])} == {f"relu4_{n}" for n in (1, 2, 3, 4)}
    said = run("agreement.py", *common, "--lite", settled)
    assert "18 pairs" in said
    assert "relu4_1" in said
