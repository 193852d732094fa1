"""Computations that take a while and are pulled: stopping is not pulling.

A `Work` yields the fraction that is done, from 0 to 1, and returns what came of it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")
Work = Generator[float, None, T]


def finish(work: Work[T]) -> T:
    """Pull a computation to its end and return what came of it."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: T = end.value
            return found


def part_of(work: Work[T], begin: float, end: float) -> Work[T]:
    """The same computation as a part of a larger one, from the fraction `begin` to the fraction `end`."""
    while True:
        try:
            done = next(work)
        except StopIteration as stop:
            found: T = stop.value
            return found
        yield begin + (end - begin) * done
