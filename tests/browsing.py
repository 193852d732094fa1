"""A studio in a process of its own, and the browser that looks at its pages: for their tests and benchmarks.

Debian's Chromium is the browser; Playwright drives it and fetches nothing.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from gramarye.studio.gallery import bundled_paths
from gramarye.studio.warming import MADE

SECONDS = 120
PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
SHELL = "chromium-headless-shell"  # without all that surrounds a page: a page takes a third of the processor time
WEB = Path(__file__).parents[1] / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
BUILT = Path(__file__).parents[1] / "src" / "gramarye" / "studio" / "static"
STATIC = "GRAMARYE_STUDIO_STATIC"  # the variable that names another build of the pages
SMALL = {"content": "demo-photograph", "styles": ["demo-cubist"], "preset": "draft"}


def chromium(*, shell: bool = False) -> str | None:
    """Where the browser is, or its headless shell where that is preferred; None if it is not installed."""
    programs = (SHELL, *PROGRAMS) if shell else PROGRAMS
    return next((found for name in programs if (found := shutil.which(name))), None)


@contextmanager
def browser(program: str | None) -> Iterator[Browser]:
    """The browser `program` without a window, that ends with the block."""
    with sync_playwright() as playwright:
        # No sandbox: it needs a kernel's leave that containers do not have; only our own pages are opened. The camera
        # is the browser's own drawing, and every page may have it: the shell has nobody to ask.
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        options += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        running = playwright.chromium.launch(executable_path=program, args=options)
        try:
            yield running
        finally:
            running.close()


def built() -> bool:
    """Whether the pages are built, and not older than what they are built of."""
    page = BUILT / "index.html"
    if not page.is_file():
        return False
    sources = [*WEB.glob("*.*"), *(path for part in ("src", "public") for path in (WEB / part).rglob("*"))]
    return page.stat().st_mtime >= max(path.stat().st_mtime for path in sources if path.is_file())


def build() -> None:
    """Build the pages; what npm installs must be there."""
    done = subprocess.run(["npm", "run", "build"], cwd=WEB, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Studio:
    """`gramarye serve` on a free port, in a folder of its own; it may be stopped, killed and started again.

    `static` names a build of the pages; `prelude` is Python that the process runs first. Without `demo` it is as if its
    user had deleted the runs that are made for the first opening, so that nothing is painted but what a test asks for.
    """

    def __init__(
        self,
        home: Path,
        *,
        static: str | None = None,
        studies: Path | None = None,
        prelude: str = "",
        demo: bool = False,
    ) -> None:
        self.home, self.studies, self.prelude = home, studies, prelude
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1", "GRAMARYE_HOME": str(home.with_name("weights"))}
        self.environment |= {STATIC: static} if static else {}
        self.port, self.token = 0, ""
        self.home.mkdir(parents=True, exist_ok=True)
        if not demo:
            (self.home / MADE).write_text(json.dumps(dict.fromkeys(bundled_paths(), "deleted")))
        self.begin()

    def begin(self) -> None:
        """Start the server, at the port that it had; return when it answers."""
        words = ["serve", "--no-browser", "--no-demo", "--json", "--port", self.port, "--home", self.home]
        words += ["--studies", self.studies] if self.studies else []
        program = [sys.executable, "-c", f"{self.prelude}\nfrom gramarye.cli import main; main()", *map(str, words)]
        self.log = self.home.with_name(f"{self.home.name}.log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                program, stdout=subprocess.PIPE, stderr=log, env=self.environment, cwd=self.home
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"no server: {self.log.read_text()}"
        told = json.loads(line)
        self.address, self.port, self.token = told["address"], told["port"], told["token"]

    @property
    def origin(self) -> str:
        """The address without its token."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def cookie(self) -> dict[str, str]:
        """What lets a browser in, for `BrowserContext.add_cookies`."""
        return {"name": f"gramarye_{self.port}", "value": self.token, "url": self.origin}

    def url(self, place: str = "") -> str:
        """The address of a place in the page, such as "#/paint?run=…"."""
        return f"{self.origin}/{place}"

    def ask(self, path: str, body: object = None) -> Any:
        """GET, or POST a body, as a program with the token; the answer's JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        headers = {"X-Gramarye-Token": self.token, "Origin": self.origin, "Content-Type": "application/json"}
        try:
            data = None if body is None else json.dumps(body)
            connection.request("GET" if body is None else "POST", path, data, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        assert answer.status < 300, f"{path}: {answer.status} {text!r}\n{self.log.read_text()[-2000:]}"
        return json.loads(text) if text else None

    def paint(self, **settings: Any) -> str:
        """Begin to paint the demo; the run's identifier."""
        request = {**SMALL, "settings": {"size": 96, "steps": 8, **settings}}
        return str(self.ask("/api/runs", request)["id"])

    def await_run(self, run: str, until: Callable[[dict[str, Any]], bool] | None = None) -> dict[str, Any]:
        """The run, once it is finished, or whatever else is waited for."""
        wanted = until or (lambda found: found["state"] == "finished")
        deadline = time.monotonic() + SECONDS
        while not wanted(found := self.ask(f"/api/runs/{run}")):
            assert found["state"] not in {"failed", "interrupted"}, found["error"]
            assert time.monotonic() < deadline, f"{found['state']} at {found['index']} of {found['steps']}"
            time.sleep(0.1)
        plain: dict[str, Any] = found
        return plain

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        """Send the server a signal and wait for its end; its exit status."""
        self.process.send_signal(how)
        try:
            return self.process.wait(SECONDS)
        finally:
            if self.process.stdout is not None:
                self.process.stdout.close()
