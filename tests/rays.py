"""A stand-in of Ray, for where it is not installed: tasks run in this process, in turns, and die when told to."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from filming import Killed
from gramarye import cluster


class RayError(Exception):
    """A worker is gone."""


class RayTaskError(RayError):
    """A worker tells of its error."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Going:
    """A task: its frames come one by one, then its error, if it has one."""

    def __init__(self, frames: Iterator[Any]) -> None:
        self.frames, self.was_cancelled = frames, False

    def __next__(self) -> Callable[[], Any]:
        try:
            found = next(self.frames)
        except StopIteration:
            raise
        except Killed:
            return partial(self.fail, RayError())
        except Exception as error:
            return partial(self.fail, RayTaskError(error))
        return lambda: found

    def fail(self, error: RayError) -> None:
        raise error


class StandIn:
    """As much of Ray as is used, in this process: whichever task has a frame, by chance, paints it when waited for."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, processors: int) -> None:
        self.processors, self.chance, self.tasks = processors, random.Random(0), list[Going]()
        self.together = 0  # tasks at a time, at most

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": self.processors}

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": self.cluster_resources()}]

    def put(self, thing: Any) -> Any:
        return thing

    def remote(self, **options: Any) -> Callable[..., Any]:
        assert options["num_cpus"] <= self.processors
        return lambda function: SimpleNamespace(remote=partial(self.begin, function))

    def begin(self, function: Callable[..., Iterator[Any]], *arguments: Any) -> Going:
        self.tasks.append(Going(function(*arguments)))
        return self.tasks[-1]

    def wait(self, tasks: list[Going]) -> tuple[list[Going], list[Going]]:
        self.together = max(self.together, len(tasks))
        chosen = self.chance.choice(tasks)
        return [chosen], [task for task in tasks if task is not chosen]

    def get(self, reference: Callable[[], Any]) -> Any:
        return reference()

    def cancel(self, task: Going, *, force: bool) -> None:
        task.was_cancelled = force


def stand_in(monkeypatch: pytest.MonkeyPatch, processors: int = 2) -> StandIn:
    """Let every cluster be a stand-in with so many processors."""
    made = StandIn(processors)

    @contextmanager
    def connected(address: str = "auto") -> Iterator[StandIn]:
        yield made

    monkeypatch.setattr(cluster, "require", lambda: made)
    monkeypatch.setattr(cluster, "connected", connected)
    return made
