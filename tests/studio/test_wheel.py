"""The wheel and the source package carry the studio's pages; what is installed serves them with the right types."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = "gramarye/studio/static/"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
SERVE = """
import json, sys
from pathlib import Path
from starlette.testclient import TestClient
import gramarye
from gramarye.studio.app import make_app
client = TestClient(make_app(Path(sys.argv[1]), token="t", port=80), base_url="http://127.0.0.1")
answers = [client.get("/" + path) for path in json.loads(sys.argv[2])]
print(json.dumps([gramarye.__file__, *([a.status_code, a.headers["content-type"]] for a in answers)]))
"""


def missing(reason: str) -> None:
    """What is missing may be missing, but not under CI."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source package, built here and without a network."""
    if importlib.util.find_spec("hatchling") is None:
        missing("hatchling, which builds packages, is not installed: make setup")
    if not (ROOT / "src" / PAGES / "index.html").is_file():
        missing("the pages are not built: make studio")
    folder = tmp_path_factory.mktemp("packages")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def installed(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the wheel puts into site-packages."""
    folder = tmp_path_factory.mktemp("installed")
    (wheel,) = packages.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def files(folder: Path) -> set[str]:
    """What lies in a folder, named from it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def built() -> set[str]:
    """The pages of the checkout."""
    return files(ROOT / "src" / PAGES)


def test_the_wheel_has_every_page_and_nothing_of_their_sources(installed: Path) -> None:
    pages = files(installed / PAGES)
    assert pages == built()
    assert "index.html" in pages
    assert {".js", ".css"} <= {Path(page).suffix for page in pages}
    assert not list(installed.rglob("*.svelte"))


def test_the_source_package_has_the_pages_and_their_sources(packages: Path) -> None:
    (source,) = packages.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"src/{PAGES}{page}" for page in built()} <= names
    assert {"web/package-lock.json", "web/src/App.svelte"} <= names
    assert not [name for name in names if "node_modules" in name]


def test_what_is_installed_serves_its_pages_with_their_types(installed: Path, tmp_path: Path) -> None:
    pages = sorted(built())
    environment = {name: each for name, each in os.environ.items() if name != "GRAMARYE_STUDIO_STATIC"}
    environment["PYTHONPATH"] = str(installed)
    command = [sys.executable, "-W", "ignore", "-c", SERVE, str(tmp_path / "home"), json.dumps(["", *pages])]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, env=environment)
    where, root, *answers = json.loads(done.stdout)
    assert Path(where).is_relative_to(installed)
    assert root == [200, TYPES[".html"]]
    assert answers == [[200, TYPES[Path(page).suffix]] for page in pages]
