"""gramarye weights: listed, fetched from a local server, verified, imported, and then used."""

from __future__ import annotations

import copy
import hashlib
import os
import pickle
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gramarye import weights
from gramarye.weights import OXFORD, SOURCES, Source
from weights.networks import random_network, write_npz, write_pth, write_safetensors
from weights.server import Server

from .command import TINY, Gramarye, everything_in, refused

NAME = "vgg19-test"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small file of weights, to conv2_1, as torchvision would publish it."""
    return write_pth(tmp_path_factory.mktemp("published") / "vgg19-test.pth", random_network(to="conv2_1"))


@pytest.fixture
def server(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that has the file, and stands for every address."""
    data = file.read_bytes()
    record = Source(
        name=NAME,
        network="vgg19",
        urls=("http://unreachable.invalid/vgg19-test.pth",),
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        licence="none",
        convention=OXFORD,
        citation="nobody",
        first_kernel=(9.0, 9.0, 9.0),
    )
    monkeypatch.setitem(SOURCES, NAME, record)
    monkeypatch.setattr("time.sleep", lambda _: None)
    with Server(data) as server:
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setenv("GRAMARYE_MIRROR", server.url)
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home" / "weights"


def test_list_when_there_is_nothing(gramarye: Gramarye, home: Path) -> None:
    answer = gramarye.ok("weights", "list", "--json").answer
    assert set(answer) == {"folder", "here", "sources"}
    assert answer["folder"] == str(home)
    assert answer["here"] == {"vgg19-lite": str(weights.embedded())}
    assert {source["name"] for source in answer["sources"]} == set(SOURCES)
    keys = {"name", "network", "urls", "sha256", "size", "licence"}
    assert all(set(source) == keys for source in answer["sources"])
    shown = gramarye.ok("weights", "list").out
    for name in SOURCES:
        assert f"\n{name} " in shown
    assert not home.exists()


def test_fetch_list_verify_use(gramarye: Gramarye, home: Path, server: Server, place: Path) -> None:
    outcome = gramarye.ok("weights", "fetch", NAME)
    stored = home / "vgg19.safetensors"
    assert f"stored {stored}" in outcome.err
    assert re.search(r"^vgg19-test  0\.\d of 0\.\d MB$", outcome.err, re.MULTILINE)
    assert outcome.out == ""
    assert gramarye.ok("weights", "list", "--json").answer["here"]["vgg19"] == str(stored)
    assert f"ok {stored}: vgg19 to conv2_1 (vgg19-test" in gramarye.ok("weights", "verify").out
    verified = gramarye.ok("weights", "verify", "--json").answer["verified"]
    assert [each["file"] for each in verified] == [str(stored), str(weights.embedded())]
    knobs = ("style.layers=relu1_1", "style.layer_weights=", "content.layers=relu2_1", "content.layer_weights=")
    shallow = [word for knob in knobs for word in ("--set", knob)]
    painted = gramarye.transfer("out.png", *shallow)
    assert f"network   vgg19 from {stored}; for the faster one: --network vgg19-lite" in painted.err
    recipe = gramarye.ok("inspect", "out.png", "--json").answer
    assert recipe["network"]["name"] == "vgg19"
    assert recipe["network"]["file"] == str(stored)


def test_fetch_quietly_and_for_machines(gramarye: Gramarye, home: Path, server: Server) -> None:
    outcome = gramarye.ok("weights", "fetch", NAME, "--quiet")
    assert (outcome.out, outcome.err) == ("", "")
    outcome = gramarye.ok("weights", "fetch", NAME, "-q", "--json")
    assert outcome.answer == {"stored": str(home / "vgg19.safetensors")}


def test_fetch_goes_on_after_a_dropped_connection(gramarye: Gramarye, home: Path, server: Server) -> None:
    server.behaviour.drops = [100_000]
    gramarye.ok("weights", "fetch", NAME)
    assert server.requests[1]["range"] == "bytes=100000-"
    assert [path.name for path in home.iterdir()] == ["vgg19.safetensors"]


@pytest.mark.parametrize(
    ("behaviour", "about"),
    [
        ({"status": 404}, "gramarye weights import vgg19-test.pth"),
        ({"status": 503}, "gramarye weights import vgg19-test.pth"),
        ({"body": b"wrong bytes"}, "SHA-256"),
        ({"drops": [1000] * 9}, "gramarye weights import vgg19-test.pth"),
    ],
    ids=["404", "503", "wrong bytes", "drops"],
)
@pytest.mark.parametrize("quiet", [(), ("--quiet",)], ids=["", "quiet"])
def test_fetch_that_fails(
    behaviour: dict[str, object], about: str, quiet: tuple[str, ...], gramarye: Gramarye, home: Path, server: Server
) -> None:
    server.behaviour = replace(server.behaviour, **copy.deepcopy(behaviour))
    outcome = gramarye("weights", "fetch", NAME, *quiet)
    if quiet:
        refused(outcome, about=about)
    assert outcome.status == 1
    assert outcome.err.splitlines()[-1].startswith("error: ")
    assert about in outcome.err
    assert not (home / "vgg19.safetensors").exists()


def test_ctrl_c_while_fetching_keeps_the_part(
    gramarye: Gramarye, home: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gramarye.weights.download._Part.append", interrupted)
    outcome = gramarye("weights", "fetch", NAME, "-q")
    assert outcome.status == 130
    assert outcome.err == "interrupted\n"
    assert [path.name for path in home.iterdir() if path.suffix == ".part"]


@pytest.mark.parametrize("name", ["vgg19", "vgg19-torchvison", "x", ""])
def test_fetch_of_an_unknown_source(name: str, gramarye: Gramarye, home: Path) -> None:
    refused(gramarye("weights", "fetch", name), about="vgg19-" if name.startswith("vgg") else "vgg16-oxford")
    assert not home.exists()


def test_fetch_where_no_folder_can_be_made(gramarye: Gramarye, tmp_path: Path, server: Server) -> None:
    (tmp_path / "home").write_text("a file in the way")
    refused(gramarye("weights", "fetch", NAME), about="GRAMARYE_HOME")
    refused(gramarye("weights", "fetch", NAME, "-q"), about="GRAMARYE_HOME")


@pytest.mark.parametrize("writer", [write_pth, write_npz, write_safetensors], ids=["pth", "npz", "safetensors"])
def test_import(writer: object, gramarye: Gramarye, home: Path, tmp_path: Path) -> None:
    path = writer(tmp_path / "weights.bin", random_network("vgg16", to="conv2_1"))  # type: ignore[operator]
    outcome = gramarye.ok("weights", "import", path, "--network", "vgg16", "--convention", "oxford-rgb")
    assert f"stored {home / 'vgg16.safetensors'}: vgg16 to conv2_1" in outcome.err
    assert gramarye.ok("weights", "import", path, "--network", "vgg16", "--json", "-q").answer == {
        "stored": str(home / "vgg16.safetensors")
    }
    assert "ok" in gramarye.ok("weights", "verify", home / "vgg16.safetensors").out


class Malicious:
    """Would make a folder when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (("nowhere.pth",), "nowhere.pth"),
        (("content.png",), "content.png"),
        ((".",), "folder"),
        (("",), "folder"),
        (("empty.pth",), "empty"),
        (("cut.pth",), "cut.pth"),
        (("evil.pth",), "execute code"),
        (("good.pth", "--network", "vgg16x"), "'vgg16'"),
        (("good.pth", "--network", "vgg19-lite"), "vgg19-lite"),
        (("good.pth", "--convention", "torchvison"), "'torchvision'"),
    ],
)
def test_import_of_what_is_no_use(
    arguments: tuple[str, ...], about: str, gramarye: Gramarye, home: Path, place: Path, file: Path
) -> None:
    (place / "empty.pth").write_bytes(b"")
    (place / "good.pth").write_bytes(file.read_bytes())
    (place / "cut.pth").write_bytes(file.read_bytes()[:-1000])
    (place / "evil.pth").write_bytes(pickle.dumps({"features.0.weight": Malicious(place / "made")}, protocol=2))
    before = everything_in(place)
    refused(gramarye("weights", "import", *arguments), about=about)
    assert everything_in(place) == before
    assert not home.exists()


def test_verify_of_changed_weights(gramarye: Gramarye, home: Path, file: Path) -> None:
    gramarye.ok("weights", "import", file, "-q")
    stored = home / "vgg19.safetensors"
    data = bytearray(stored.read_bytes())
    data[-1001] ^= 1
    stored.write_bytes(bytes(data))
    refused(gramarye("weights", "verify"), about="import or fetch them again".capitalize())
    refused(gramarye("weights", "verify", stored, "--json"), about=str(stored))
    refused(gramarye("weights", "verify", "nowhere.pth"), about="nowhere.pth")


def test_verify_of_the_embedded_network(gramarye: Gramarye) -> None:
    assert gramarye.ok("weights", "verify").out.startswith(f"ok {weights.embedded()}: vgg19-lite to conv5_1")
    outcome = gramarye.ok("weights", "verify", "--quiet")
    assert (outcome.out, outcome.err) == ("", "")


def test_weights_alone_shows_its_commands(gramarye: Gramarye) -> None:
    outcome = gramarye("weights")
    assert outcome.status == 2
    for command in ("list", "fetch", "verify", "import"):
        assert command in outcome.out + outcome.err


def test_a_shallow_file_keeps_its_network(gramarye: Gramarye, home: Path, tmp_path: Path) -> None:
    """To conv2_1, VGG-16 and VGG-19 have the same shapes: only the stored file knows."""
    path = write_npz(tmp_path / "weights.npz", random_network("vgg16", to="conv2_1"))
    gramarye.ok("weights", "import", path, "--network", "vgg16", "-q")
    assert "vgg16 to conv2_1" in gramarye.ok("weights", "verify").out


def test_weights_that_do_not_reach_the_layers(gramarye: Gramarye, place: Path, file: Path) -> None:
    before = everything_in(place)
    outcome = gramarye("transfer", "content.png", "style.png", "-o", "out.png", *TINY, "--weights", file)
    refused(outcome, about="conv2_1")
    assert everything_in(place) == before
