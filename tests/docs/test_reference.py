"""The documentation says what the program does."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from gramarye.presets import PRESETS
from gramarye.settings import KNOBS

ROOT = Path(__file__).resolve().parents[2]


def test_reference_is_what_the_program_says_now() -> None:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.REFERENCE.read_text() == module.reference(), "run python docs/make_reference.py"


def test_every_knob_and_preset_is_in_it() -> None:
    text = (ROOT / "docs" / "reference.md").read_text()
    for name in (*KNOBS, *PRESETS):
        assert f"`{name}`" in text


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = (ROOT / "docs" / "dependencies.md").read_text().lower()
    extras = [each for extra in project["optional-dependencies"].values() for each in extra]
    for requirement in (*project["dependencies"], *extras):
        name = re.match(r"[\w-]+", requirement).group()
        assert f"| {name}" in text, name
