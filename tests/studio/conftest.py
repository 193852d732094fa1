"""Fixtures: a folder for a studio, and a server of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gramarye import machine

from .serving import Server


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights of the user's, no build of the pages but the test's own, no lasting change of the allocator."""
    monkeypatch.setenv("GRAMARYE_HOME", str(tmp_path / "weights-home"))
    monkeypatch.setenv("GRAMARYE_STUDIO_STATIC", str(tmp_path / "static"))
    monkeypatch.setattr(machine, "keep_memory", lambda: True)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the studio of a test keeps its things."""
    return tmp_path / "studio"


@pytest.fixture
def serve(home: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers: `serve()` of the test's folder, `serve(other_home, studies=…)`; all are stopped at the end."""
    begun: list[Server] = []

    def start(where: Path | None = None, *, studies: Path | None = None) -> Server:
        begun.append(Server(where or home, studies=studies))
        return begun[-1]

    yield start
    for each in begun:
        each.close()


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    """A running studio."""
    return serve()
