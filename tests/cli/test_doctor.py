"""gramarye doctor: what is here, what would be chosen, also on an ill machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from gramarye import weights

from .command import Gramarye

TOLD = {
    "gramarye",
    "python",
    "torch",
    "system",
    "processor",
    "cores",
    "device",
    "precision",
    "allocator",
    "memory free",
    "weights",
    "network",
}


def test_doctor_tells(gramarye: Gramarye, tmp_path: Path) -> None:
    answer = gramarye.ok("doctor", "--json").answer
    assert set(answer) == TOLD
    assert all(value not in (None, "") for value in answer.values())
    assert str(tmp_path / "home" / "weights") in answer["weights"]
    assert answer["network"].startswith("vgg19-lite, embedded")
    shown = gramarye.ok("doctor", "--quiet").out
    for name in TOLD:
        assert f"\n{name}" in f"\n{shown}"
    assert not (tmp_path / "home").exists()


def test_doctor_finds_the_full_network(gramarye: Gramarye, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = tmp_path / "home" / "weights" / "vgg19.safetensors"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(weights.embedded().read_bytes())
    answer = gramarye.ok("doctor", "--json").answer
    assert "vgg19.safetensors" in answer["weights"]
    assert answer["network"].startswith("none: ")  # they are not what their name says
    assert "conv1_1.weight" in answer["network"]


def test_doctor_without_the_embedded_network(
    gramarye: Gramarye, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the installation is incomplete is an answer, not a failure."""
    monkeypatch.setattr("gramarye.weights.store.embedded", lambda: tmp_path / "missing.safetensors")
    assert "install gramarye again" in gramarye.ok("doctor", "--json").answer["network"].lower()


def test_doctor_where_the_system_tells_nothing(gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gramarye.machine.available_memory", lambda: None)
    monkeypatch.setattr("gramarye.machine.keep_memory", lambda: False)
    answer = gramarye.ok("doctor", "--json").answer
    assert answer["memory free"] == "unknown"
    assert answer["allocator"] == "the system's"
