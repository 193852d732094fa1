"""A PostgreSQL server of Debian's package, for as long as it is needed, reached by a socket in its own folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

USER = "postgres"  # made by Debian's package; a server refuses to run as root
QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")  # it lives as long as the test
SECONDS = 60
_names = count()


def programs() -> Path | None:
    """The folder with initdb and postgres, of the newest version; None if they are not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3].split(".")[0]))
    if found:
        return found[-1].parent
    named = shutil.which("initdb")
    return Path(named).resolve().parent if named else None


class Server:
    """A running server; `database` makes an empty database and gives its URL."""

    def __init__(self, folder: Path, user: str) -> None:
        self.folder, self.user = folder, user

    def url(self, database: str) -> str:
        """The URL of a database."""
        return f"postgresql://{self.user}@/{database}?host={self.folder}"

    def database(self) -> str:
        """A new database."""
        import psycopg

        name = f"study_{next(_names)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)


@contextmanager
def server() -> Iterator[Server]:
    """A server that ends with the block."""
    binaries, root = programs(), os.geteuid() == 0
    assert binaries is not None
    user = USER if root else pwd.getpwuid(os.geteuid()).pw_name
    whose = {"user": USER, "group": USER, "extra_groups": []} if root else {}
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path must be short
    if root:
        shutil.chown(folder, USER, USER)
    data = folder / "data"
    try:
        made = [
            binaries / "initdb",
            "--pgdata",
            data,
            "--auth",
            "trust",
            "--username",
            user,
            "--no-sync",
            "--locale",
            "C",
            "--encoding",
            "UTF8",
        ]
        subprocess.run(made, check=True, capture_output=True, cwd=folder, **whose)
        options = [word for option in QUICK for word in ("-c", option)]
        command = [binaries / "postgres", "-D", data, "-k", folder, "-h", "", *options]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **whose)
        try:
            found = Server(folder, user)
            _await(found, process)
            yield found
        finally:
            process.send_signal(signal.SIGINT)  # ends at once, whoever is connected
            process.wait(SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await(found: Server, process: subprocess.Popen[bytes]) -> None:
    """Return when the server answers."""
    import psycopg

    deadline = time.monotonic() + SECONDS
    while True:
        try:
            psycopg.connect(found.url("postgres")).close()
        except psycopg.OperationalError:
            log = (found.folder / "log").read_text(errors="replace")
            assert process.poll() is None, log
            assert time.monotonic() < deadline, log
            time.sleep(0.05)
        else:
            return
