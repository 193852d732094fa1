"""The shots of a film on a Ray cluster: this process keeps the frames, the cluster's machines paint.

Nothing that is painted is seen beyond a cut, so that a shot is the same painted beside the others as after them. Frames
travel one by one as soon as they are painted; no machine but this one needs the folder they are kept in, all need the
film and the paintings under the same names, and the same networks. A worker that dies costs the frame under way.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any, no_type_check

import numpy as np
from jaxtyping import UInt16

from gramarye import cluster
from gramarye.errors import GramaryeError, OptimizationError
from gramarye.video import manifest, segments
from gramarye.video.measure import Moment
from gramarye.video.segments import Filming, Order, Segment
from gramarye.video.sequence import Painter

TRIES = 3  # workers that may die at the same frame
AHEAD = 4  # frames that a worker may be ahead of this process

Sent = tuple[Moment, Fraction, UInt16[np.ndarray, "height width 3"]]
Shot = tuple[int, int]  # from a place to before another one


def paint(film: Filming, bounds: Sequence[int], address: str = "auto") -> Generator[Moment, None, None]:
    """Paint the frames that are missing, the longest shots first, and keep each as it comes, one Moment each.

    `bounds` are those of `segments.shots`. Stop pulling at any time: what was told of is kept, and can be gone on from
    with a cluster or without. As many shots are painted at a time as the cluster at `address` has processors for,
    `film.threads` each; see `cluster.connected`. Raises OptimizationError where workers die time and again,
    SettingsError, MissingExtraError, and whatever the painter raises.
    """
    waiting = sorted(pairwise(bounds), key=lambda shot: shot[0] - shot[1])
    waiting = [shot for shot in waiting if film.missing(*shot)]
    if not waiting:
        return
    with cluster.connected(address) as ray:
        under_way: dict[Any, Shot] = {}
        try:
            yield from _course(ray, film, waiting, under_way)
        finally:
            for reference in under_way:
                with suppress(Exception):  # whatever Ray has to say of a cluster that is gone
                    ray.cancel(reference, force=True)


def _course(ray: Any, film: Filming, waiting: list[Shot], under_way: dict[Any, Shot]) -> Generator[Moment, None, None]:
    """Give out shots and take in the frames that come of them."""
    threads = film.threads or 1
    order = replace(film.order, film=replace(film.order.film, path=film.order.film.path.absolute()))
    work = ray.put((order, film.painter))
    task = ray.remote(
        num_cpus=min(threads, cluster.widest(ray)),
        max_retries=0,
        num_returns="streaming",
        _generator_backpressure_num_objects=AHEAD,
    )(_paint)
    deaths: dict[int, int] = {}  # of workers, by the frame that they did not come to the end of
    while waiting or under_way:
        while waiting and len(under_way) < cluster.places(ray, threads):
            shot = waiting.pop(0)
            under_way[task.remote(work, film.missing(*shot), threads)] = shot
        ready, _ = ray.wait(list(under_way))
        for reference in ready:
            moment = _taken(ray, film, reference)
            if moment is not None:
                yield moment
                continue
            shot = under_way.pop(reference)
            left = film.missing(*shot)
            if left is not None:
                _bury(left.start, film, deaths)
                waiting.insert(0, shot)


def _taken(ray: Any, film: Filming, reference: Any) -> Moment | None:
    """Keep the next frame of a segment; None where it has come to an end, good or bad."""
    try:
        moment, time, samples = ray.get(next(reference))
    except StopIteration:
        return None
    except ray.exceptions.RayTaskError as error:
        raise (error.cause if isinstance(error.cause, GramaryeError) else error) from None
    except ray.exceptions.RayError:
        return None
    film.kept.add(moment, time, manifest.shallow(samples.copy()))  # Ray's own memory may not be written to
    found: Moment = moment
    return found


def _bury(place: int, film: Filming, deaths: dict[int, int]) -> None:
    """Count a worker that died; raises OptimizationError for the last one that may."""
    deaths[place] = deaths.get(place, 0) + 1
    if deaths[place] == TRIES:
        received = f"{TRIES} that ended at frame {film.order.first + place} without a word"
        raise OptimizationError(
            "a worker must come to the end of a frame", received, "give it memory, or a smaller --size"
        )


@no_type_check  # which would wrap it: Ray must see that it is a generator
def _paint(work: tuple[Order, Painter], segment: Segment, threads: int) -> Generator[Sent, None, None]:
    """On a machine of the cluster: paint a segment frame by frame."""
    import torch

    from gramarye import machine

    machine.keep_memory()
    torch.set_num_threads(threads)
    for each in segments.painted(*work, segment):
        yield each.moment, each.frame.time, manifest.deep(each.pixels)
