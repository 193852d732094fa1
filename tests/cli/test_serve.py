"""gramarye serve: from the command to the page and back, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gramarye.cli import serve as module
from gramarye.studio import serving, warming

from .command import Gramarye, refused

MAIN = "import gramarye.cli; gramarye.cli.main()"
PATIENCE = 120  # seconds, on a busy machine
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `gramarye serve` on a free port without a browser; all are stopped at the end."""
    begun: list[subprocess.Popen[str]] = []

    def begin(*arguments: object) -> subprocess.Popen[str]:
        words = ["serve", "--no-browser", "--no-demo", "--home", str(tmp_path / "studio"), *map(str, arguments)]
        words += [] if "--port" in words else ["--port", "0"]
        program = [sys.executable, "-c", MAIN, *words]
        begun.append(subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return begun[-1]

    yield begin
    for each in begun:
        if each.poll() is None:
            each.kill()
        each.communicate(timeout=PATIENCE)


def asked(address: str, token: str) -> tuple[int, Any]:
    request = urllib.request.Request(address, headers={"X-Gramarye-Token": token})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.status, json.load(answer)


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What the program says when it listens."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate(timeout=PATIENCE)
    found: dict[str, Any] = json.loads(line)
    return found


def test_from_start_to_end(start: Start, tmp_path: Path) -> None:
    process = start("--json")
    said = told(process)
    assert said["address"] == f"http://127.0.0.1:{said['port']}/?token={said['token']}"
    assert said["home"] == str(tmp_path / "studio")
    status, state = asked(f"http://127.0.0.1:{said['port']}/api/state", said["token"])
    assert (status, len(state["pictures"])) == (200, 7)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        asked(f"http://127.0.0.1:{said['port']}/api/state", "another")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert out == ""
    assert said["token"] not in err
    assert "Traceback" not in err
    assert f"what you paint is kept in {tmp_path / 'studio'}" in err
    assert not (tmp_path / "studio" / serving.OWNER).exists()


def test_an_open_page_does_not_hold_up_the_end(start: Start) -> None:
    process = start("--json", "--quiet")
    said = told(process)
    with socket.create_connection(("127.0.0.1", said["port"]), timeout=PATIENCE) as page:
        host = f"127.0.0.1:{said['port']}"
        page.sendall(f"GET /api/events HTTP/1.1\r\nHost: {host}\r\nX-Gramarye-Token: {said['token']}\r\n\r\n".encode())
        reader = page.makefile("rb")
        while not reader.readline().startswith(b"event: hello"):
            pass
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")


def test_the_address_is_on_the_screen(start: Start) -> None:
    process = start()
    assert process.stdout is not None
    line = process.stdout.readline()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}\n", line)


def test_only_this_machine_is_listened_to(start: Start) -> None:
    port = told(start("--json"))["port"]
    lines = [line.split()[1] for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    assert [line.rpartition(":")[0] for line in lines if line.endswith(f":{port:04X}")].count("0100007F") >= 1
    assert not [line for line in lines if line.endswith(f":{port:04X}") and set(line.rpartition(":")[0]) == {"0"}]


def test_a_port_that_is_taken(start: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = start("--port", port)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (1, "")
    assert err == f"error: the port must be free; got {port}: another program has it. Choose another one with --port\n"


def test_a_folder_has_one_server(start: Start, gramarye: Gramarye, tmp_path: Path) -> None:
    first = start("--json")
    told(first)
    refused(gramarye("serve", "--no-browser", "--port", "0", "--home", tmp_path / "studio"), about="one server")
    first.kill()  # as by a loss of power: what it left does not bar the next one
    first.wait(PATIENCE)
    assert (tmp_path / "studio" / serving.OWNER).exists()
    assert told(start("--json"))["port"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(gramarye: Gramarye, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    refused(gramarye("serve", "--no-browser", "--port", "0", "--home", tmp_path / "studio"), about="--home")


def test_a_file_where_a_folder_belongs(gramarye: Gramarye, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(gramarye("serve", "--no-browser", "--port", "0", "--home", tmp_path / "file"), about="--home")
    refused(gramarye("serve", "--no-browser", "--port", "0", "--studies", tmp_path / "file"), about="--studies")
    refused(gramarye("serve", "--no-browser", "--port", "0", "--studies", tmp_path / "none"), about="--studies")


@pytest.mark.parametrize("port", ["-1", "65536", "x", "127.0.0.1:80"])
def test_ports_that_there_are_not(gramarye: Gramarye, port: str) -> None:
    assert gramarye("serve", "--no-browser", "--port", port).status == 2


def test_no_other_host_is_offered(gramarye: Gramarye) -> None:
    assert gramarye("serve", "--host", "0.0.0.0").status == 2


def test_preparing_paints_the_demo_once(gramarye: Gramarye, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small, and without the lens, which has its own tests."""
    monkeypatch.setattr(warming, "SETTINGS", {"size": 48, "steps": 2})
    monkeypatch.setattr(warming, "questions", lambda *_, **__: ())
    home = tmp_path / "studio"
    outcome = gramarye.ok("serve", "--prepare", "--home", home)
    assert outcome.out == ""
    assert "demo  50 %" in outcome.err
    runs = {path: json.loads(path.read_text()) for path in home.glob("runs/*/run.json")}
    assert len(runs) == 6
    assert {run["state"] for run in runs.values()} == {"finished"}
    assert not (home / serving.OWNER).exists()
    assert gramarye.ok("serve", "--prepare", "--home", home, "--json", "--quiet").answer == {"home": str(home)}
    assert {path: json.loads(path.read_text()) for path in home.glob("runs/*/run.json")} == runs


def test_where_things_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.default_home() == tmp_path / "home" / "studio"
    monkeypatch.delenv("GRAMARYE_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    if sys.platform.startswith("linux"):
        assert module.default_home() == tmp_path / "data" / "gramarye" / "studio"
    assert not (tmp_path / "data").exists()


def test_the_browser_gets_a_ticket_and_not_the_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a program is started with can be read by all users of a machine."""
    from gramarye.studio.studio import make_studio

    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    studio = make_studio(tmp_path / "studio", token="the-token", port=1234)
    serving.browse(studio).join(10)
    assert len(opened) == 1
    assert opened[0].startswith("http://127.0.0.1:1234/?token=")
    assert "the-token" not in opened[0]
    assert studio.lets_in(opened[0].partition("=")[2])
