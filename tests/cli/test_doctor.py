"""gramarye doctor: what is here, what would be chosen, also on an ill machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedforward import many
from gramarye import weights
from gramarye.fast import stored

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
    "fast-many",
    "fast-any",
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


def test_the_feed_forward_networks(gramarye: Gramarye) -> None:
    answer, shown = gramarye.ok("doctor", "--json").answer, gramarye.ok("doctor").out
    for kind in stored.KINDS:
        network, found = stored.load(kind), answer[f"fast-{kind}"]
        assert found["styles"] == (list(network.styles) or None)
        assert (found["bytes"], found["steps"]) == (stored.bundled(kind).stat().st_size, network.card["steps"])
        assert found["held_out"]["painted"] == network.card["held_out"]["painted"]["total"]
        line = next(each for each in shown.splitlines() if each.startswith(f"fast-{kind}"))
        assert f"{found['steps']} steps of training · loss {found['held_out']['painted']:.3g} on photographs" in line
    assert "the styles cubist, mosaic, " in shown
    assert "any painting · " in shown


def test_feed_forward_networks_that_say_little_or_are_missing(
    gramarye: Gramarye, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "FOLDER", tmp_path)
    stored.save(tmp_path / "fast-many.safetensors", many(("sea",)), {})
    answer, shown = gramarye.ok("doctor", "--json").answer, gramarye.ok("doctor").out
    assert answer["fast-many"]["styles"] == ["sea"]
    assert answer["fast-many"]["held_out"] == {"painted": None, "photograph": None}
    assert "the styles sea · 0 MB\n" in shown
    assert "part of the package" in answer["fast-any"]["error"]
    assert "fast-any     none: its feed-forward painters are part of the package" in shown


def test_doctor_where_the_system_tells_nothing(gramarye: Gramarye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gramarye.machine.available_memory", lambda: None)
    monkeypatch.setattr("gramarye.machine.keep_memory", lambda: False)
    answer = gramarye.ok("doctor", "--json").answer
    assert answer["memory free"] == "unknown"
    assert answer["allocator"] == "the system's"
