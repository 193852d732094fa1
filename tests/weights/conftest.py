"""Fixtures: a store of one's own, and a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from .server import Server


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The tensors here are too small to share, and waiting for a busy core takes longest."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store, in $GRAMARYE_HOME."""
    home = tmp_path / "home"
    monkeypatch.setenv("GRAMARYE_HOME", str(home))
    monkeypatch.delenv("GRAMARYE_MIRROR", raising=False)
    return home / "weights"


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that stands for every address."""
    with Server(b"") as server:
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setenv("GRAMARYE_MIRROR", server.url)
        yield server
