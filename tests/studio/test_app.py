"""The application: its state, its pages, its errors, and that it is up before torch is."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gramarye import __version__, weights
from gramarye.errors import SettingsError
from gramarye.studio.static_files import TYPES

from .serving import Server


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A build of the pages, where conftest says that it is."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>the page</title>")
    for suffix in TYPES:
        (folder / "assets" / f"file-1a2b{suffix}").write_text(suffix)
    (folder / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "secret.py").write_text("x")
    return folder


def test_importing_it_imports_no_torch() -> None:
    code = (
        "import sys, pkgutil, importlib, gramarye.studio as package\n"
        "for each in pkgutil.iter_modules(package.__path__): importlib.import_module(f'gramarye.studio.{each.name}')\n"
        "assert not {'torch', 'PIL', 'matplotlib'} & set(sys.modules), 'too much'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_page_is_there_before_torch(home: Path, tmp_path: Path) -> None:
    """In a process of its own: state and pictures are answered while torch is not even begun."""
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
spec = spec_from_file_location("serving", {str(Path(__file__).with_name("serving.py"))!r})
serving = sys.modules["serving"] = module_from_spec(spec)
spec.loader.exec_module(serving)
from gramarye.studio import loading
loading.PATIENCE = loading.GRACE = 60
server = serving.Server(Path({str(home)!r}))
state = server.get("/api/state").json
assert state["ready"] is False and len(state["knobs"]) > 5 and len(state["layers"]) > 12
for picture in state["pictures"]:
    reply = server.get(f"/api/pictures/{{picture['id']}}/160.webp")
    assert reply.status == 200 and reply.headers["content-type"].startswith("image/")
    assert reply.headers["cache-control"] == "no-store"
assert "torch" not in sys.modules, "too early"
server.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_state(server: Server) -> None:
    state = server.get("/api/state").json
    assert state["version"] == __version__
    assert set(state) == {"version", "ready", "network", "presets", "knobs", "layers", "pictures", "runs", "limits"}
    assert set(state["network"]) == {"name", "title", "why"}
    assert [each["name"] for each in state["presets"]] == ["draft", "default", "large"]
    assert len(state["pictures"]) == 7
    assert state["limits"]["bytes"] == 20_000_000
    assert state["limits"]["megapixels"] == 40
    assert set(state["limits"]["suffixes"]) >= {".jpg", ".png", ".webp"}
    assert state["runs"] == []


def test_the_network_is_the_one_that_would_be_chosen(server: Server, tmp_path: Path) -> None:
    assert server.get("/api/state").json["network"]["name"] == weights.choose().network == "vgg19-lite"
    stored = tmp_path / "weights-home" / "weights" / "vgg19.safetensors"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(b"")
    assert server.get("/api/state").json["network"]["name"] == weights.choose().network == "vgg19"


def test_a_server_started_again_has_what_was_given(serve: Callable[..., Server]) -> None:
    first = serve()
    data = first.studio.gallery.path_of("demo-swirl").read_bytes()
    picture = first.post("/api/pictures?kind=photograph", data, headers={"X-File-Name": "swirl.jpg"}).json
    first.close()
    second = serve()
    assert picture in second.get("/api/state").json["pictures"]
    assert second.get(f"/api/pictures/{picture['id']}/160.webp").status == 200


def test_two_homes_know_nothing_of_each_other(serve: Callable[..., Server], tmp_path: Path) -> None:
    one, other = serve(tmp_path / "one"), serve(tmp_path / "other")
    data = one.studio.gallery.path_of("demo-swirl").read_bytes()
    picture = one.post("/api/pictures?kind=photograph", data).json
    assert other.get(f"/api/pictures/{picture['id']}/160.webp").status == 404


# ---- pages ----------------------------------------------------------------------------------------


def test_files_have_our_types_whatever_the_system_says(
    built: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimetypes.guess_type", lambda *_: ("text/plain", None))
    for suffix, kind in TYPES.items():
        reply = server.get(f"/assets/file-1a2b{suffix}", ours=False)
        assert (reply.status, reply.headers["content-type"], reply.body) == (200, kind, suffix.encode())
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_the_page_itself_is_asked_for_anew(built: Path, server: Server) -> None:
    for path in ("/", "/index.html", "/icon.svg"):
        reply = server.get(path, ours=False)
        assert (reply.status, reply.headers["cache-control"]) == (200, "no-cache")
        again = server.get(path, ours=False, headers={"If-None-Match": reply.headers["etag"]})
        assert again.status in (200, 304)
    assert b"the page" in server.get("/").body


@pytest.mark.parametrize("path", ["/secret.py", "/assets", "/assets/", "/.", "/assets/file-1a2b", "/index.html/x"])
def test_nothing_else_in_the_folder_is_served(built: Path, server: Server, path: str) -> None:
    assert server.get(path, ours=False).status == 404


def test_a_checkout_without_the_build_says_what_to_do(server: Server) -> None:
    reply = server.get("/", ours=False)
    assert reply.status == 503
    assert reply.headers["content-type"].startswith("text/html")
    assert b"<code>make studio</code>" in reply.body
    assert b"<script" not in reply.body
    assert b"style=" not in reply.body


# ---- errors ---------------------------------------------------------------------------------------


def test_what_a_user_can_mend_is_one_line(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise SettingsError("size must lie in 32 … 20000", 7, "choose another size")

    monkeypatch.setattr(server.studio.gallery, "pictures", fail)
    reply = server.get("/api/state")
    assert (reply.status, reply.json) == (400, {"error": "size must lie in 32 … 20000; got 7. Choose another size"})


def test_a_fault_of_ours_tells_the_page_nothing_of_its_inside(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("/home/somebody/private")

    monkeypatch.setattr(server.studio.gallery, "pictures", fail)
    logger = logging.getLogger("uvicorn.error")
    logger.addHandler(caplog.handler)
    reply = server.get("/api/state")
    server.close()  # what goes to the terminal comes after the answer
    logger.removeHandler(caplog.handler)
    assert reply.status == 500
    assert b"private" not in reply.body
    assert "/home/somebody/private" in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/nothing", 404), ("PUT", "/api/state", 405), ("POST", "/index.html", 405), ("GET", "/api", 404)],
)
def test_what_there_is_not(server: Server, method: str, path: str, status: int) -> None:
    reply = server.request(method, path)
    assert reply.status == status
    assert reply.json["error"]
