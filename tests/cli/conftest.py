"""Fixtures: an empty store, a folder with two pictures and a painted one to work in, and the program."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
import torch

from gramarye import images, machine, transfer
from gramarye.presets import preset
from networks import picture

from .command import Gramarye


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights of the user's, no mirror, no lasting change of the allocator, a terminal of one width."""
    monkeypatch.setenv("GRAMARYE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GRAMARYE_MIRROR", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(machine, "keep_memory", lambda: True)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """The pictures here are too small to share, and waiting for a busy core takes longest."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def _pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """content.png, style.png, other.png, and painted.png after the first two, painted from inside the folder."""
    folder = tmp_path_factory.mktemp("pictures")
    with chdir(folder):
        images.save(picture(60, 80, 1), "content.png")
        images.save(picture(70, 64, 2), "style.png")
        images.save(picture(64, 64, 3), "other.png")
        settings = preset("default").with_(size=48, steps=4, **{"network.name": "vgg19-lite"})
        painting = transfer.prepare("content.png", "style.png", settings, preset="default")
        for _ in painting.steps():
            pass
        painting.result().save("painted.png")
    return folder


@pytest.fixture
def place(_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the pictures, as the working folder."""
    folder = tmp_path / "place"
    shutil.copytree(_pictures, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def gramarye(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Gramarye:
    """The program, run in this process; capfd also hears what C libraries say."""
    return Gramarye(monkeypatch, capfd)
