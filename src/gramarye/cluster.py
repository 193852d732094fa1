"""A Ray cluster, when one is asked for: Ray itself, the connection, and how much room there is.

Ray is kept to this machine (loopback, no dashboard) unless a cluster is named: its ports ask nobody for a password.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from gramarye.errors import MissingExtraError, SettingsError

SECONDS = 10.0  # for a cluster to answer
# Ray takes 127.0.0.1 to mean this machine's address in the network; elsewhere than on Linux it keeps to loopback.
LOOPBACK = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
HERE = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


def require() -> Any:
    """Ray; raises MissingExtraError."""
    os.environ.update({name: os.environ.get(name, value) for name, value in HERE.items()})
    try:
        import ray
    except ImportError as error:
        remedy = "pip install 'gramarye[ray]'"
        raise MissingExtraError("--ray needs Ray", f"no module {error.name}", remedy) from error
    return ray


@contextmanager
def connected(address: str = "auto") -> Iterator[Any]:
    """Ray, connected to the cluster at `address`; `auto` is this machine's, or one made for as long as the block lasts.

    A connection that is there already is used, and left. Raises SettingsError where none answers, MissingExtraError.
    """
    ray = require()
    was_there = ray.is_initialized()
    if not was_there:
        _connect(ray, address)
    try:
        yield ray
    finally:
        if not was_there:
            ray.shutdown()


def places(ray: Any, threads: int) -> int:
    """How many tasks of so many threads the cluster can do at a time, one at least: it may grow and shrink."""
    return max(1, int(ray.cluster_resources().get("CPU", 0)) // threads)


def widest(ray: Any) -> int:
    """How many processors the largest machine of the cluster has, one at least."""
    return max([1, *(int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"])])


def _connect(ray: Any, address: str) -> None:
    quiet = {"log_to_driver": False, "logging_level": "error"}
    try:
        if address != "auto":
            _knock(address)
        try:
            ray.init(address=address, **quiet)
        except ConnectionError:
            if address != "auto":
                raise
            ray.init(address="local", include_dashboard=False, _node_ip_address=LOOPBACK, **quiet)
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        remedy = "begin one by ray start --head, or leave --ray out"
        raise SettingsError("a Ray cluster must answer", f"{address}: {reason}", remedy) from error


def _knock(address: str) -> None:
    """Raises OSError or ValueError where nobody listens: Ray itself would try for five minutes."""
    found = urlsplit(address if "://" in address else f"//{address}")
    if not (found.hostname and found.port):
        raise ValueError("not HOST:PORT")
    socket.create_connection((found.hostname, found.port), SECONDS).close()
