"""Who holds a trial: a process of a machine, and whether it is still there.

A process is named "machine/process/start". The machine is the host's name with what tells apart two of one name and
two starts of one (the boot's identifier, the process namespace of a container); the start tells apart two processes
that had one number.
"""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from functools import cache
from pathlib import Path

BETWEEN = "/"


@cache
def _machine_of(process: int) -> str:
    """This machine as `process`, which asks, sees it: a forked child asks anew."""
    parts = [platform.node() or "localhost"]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8])
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid").strip("pid:[]"))  # noqa: PTH115  no path
    return "-".join(part.replace(BETWEEN, "_") for part in parts)


def machine() -> str:
    """This machine, by a name that no other has at any time."""
    return _machine_of(os.getpid())


def _start(process: int) -> str | None:
    """When a process was started, in ticks since the boot; empty where Linux does not tell; None if it is gone."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None if Path("/proc/self/stat").exists() else ""
    state, *rest = stat.rpartition(")")[2].split()  # after the name, which may hold anything
    return None if state in "ZX" else rest[18]  # a zombie does nothing any more


def of(process: int) -> str:
    """A process of this machine, by its number."""
    return BETWEEN.join((machine(), str(process), _start(process) or ""))


def me() -> str:
    """This process."""
    return of(os.getpid())


def in_words(owner: str) -> str:
    """An owner as people are told of it."""
    host, process, _ = owner.split(BETWEEN)
    return f"process {process}" if host == machine() else f"process {process} on {host.rpartition('-')[0] or host}"


def alive(owner: str) -> bool | None:
    """Whether a process is still there; None where that cannot be seen from here, on another machine."""
    host, process, start = owner.split(BETWEEN)
    if host != machine():
        return None
    if start:
        return _start(int(process)) == start
    return _responds(int(process))


def _responds(process: int) -> bool | None:
    """Whether there is a process of this number, where nothing tells when it began; None if that is unknown."""
    if os.name == "nt":  # there, os.kill would end it
        return None
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is there and somebody else's
        pass
    return True
