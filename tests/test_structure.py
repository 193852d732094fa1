"""The shape of the house: imports go downwards, importing has no effects, public names are pinned."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gramarye

SOURCE = Path(gramarye.__file__).parent
# From the foundation up: a room may import only from the rows before its own, or from itself.
ROWS = (
    ("errors",),
    (
        "layers",
        "png",
        "files",
        "recipe",
        "machine",
        "statistics",
        "demo",
        "knobs",
        "blur",
        "pulling",
        "cluster",
        "plain",
        "checkpoint",
        "snapshots",
    ),
    ("settings", "weights", "colour"),
    ("images", "presets", "vgg", "shifting", "comparison"),
    ("objective", "schedule", "origins", "recolor", "film", "batch", "inline"),
    ("optimize", "masks", "detail", "strength", "seeing"),
    ("result", "regions"),
    ("fast",),
    ("starts",),
    ("painting",),
    ("transfer",),
    ("cost", "scores"),
    ("explain", "study", "video"),
    ("report",),
    ("studio",),
    ("cli",),
)
LEVELS = {room: level for level, rooms in enumerate(ROWS) for room in rooms}
TORCHLESS = [
    "gramarye",
    "gramarye.errors",
    "gramarye.layers",
    "gramarye.settings",
    "gramarye.presets",
    "gramarye.explain",
    "gramarye.studio.app",
    "gramarye.studio.serving",
    "gramarye.cli",
]


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """The rooms of this package that a file imports, at any depth of its code."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("gramarye"):
            parts = node.module.split(".")
            rooms |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            rooms |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("gramarye.")}
    return rooms & LEVELS.keys()


def test_every_room_has_a_level() -> None:
    rooms = {room_of(path) for path in SOURCE.rglob("*.py")} - {"__init__"}
    assert rooms <= LEVELS.keys()


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_downwards(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    for other in imports(path) - {room}:
        assert LEVELS[other] < LEVELS[room], f"{room} imports {other}"


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            arguments = len(node.args.args) + len(node.args.kwonlyargs)
            assert node.end_lineno - node.lineno <= 45 + arguments, f"{node.name} is long"


@pytest.mark.parametrize("module", TORCHLESS)
def test_importing_has_no_effects(module: str) -> None:
    code = f"import {module}, sys; assert not {{'torch', 'PIL', 'matplotlib'}} & set(sys.modules), 'too much'"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_only_pictures_use_pillow() -> None:
    users = {room_of(path) for path in SOURCE.rglob("*.py") if "from PIL" in path.read_text()}
    assert users <= {"images", "colour", "optimize", "result", "transfer"}  # the last two for annotations alone


def test_public_names_are_pinned() -> None:
    assert set(gramarye.__all__) == {
        "VGG",
        "GramaryeError",
        "Objective",
        "Result",
        "Settings",
        "Step",
        "Term",
        "explain",
        "measure",
        "preset",
        "stylize",
        "stylize_steps",
    }
    for name in gramarye.__all__:
        assert getattr(gramarye, name) is not None
    with pytest.raises(AttributeError, match="stylise"):
        gramarye.stylise  # noqa: B018
