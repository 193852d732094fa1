"""One trial painted, scored and written; and a worker, who does so until no trial is left.

`painting` is the only place that paints. A worker is a generator: it goes on as long as it is pulled, and gives back
the trial that it has in hand when it is closed. Where workers run is the matter of processes.py and on_ray.py.
"""

from __future__ import annotations

import importlib
import json
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import gramarye
from gramarye.errors import GramaryeError, StudyError
from gramarye.pulling import Work, finish
from gramarye.study import ledger
from gramarye.study.record import Outcome, Trial
from gramarye.study.store import BEAT, Claim, Store

if TYPE_CHECKING:
    from gramarye.painting import Painting
    from gramarye.result import Result
    from gramarye.scores import Scorer

Painter = Callable[[Trial], Work[Outcome]]

PAINTING = "gramarye.study.work:painting"
IDLE = 0.5  # seconds between looks whether a trial has come free
LONGEST = 500  # characters of an error


@dataclass(frozen=True)
class Job:
    """What workers are to do: the trials of a study in a store, each with so many threads.

    `painter` is named as "module:function", for workers are in other processes. After `until`, in seconds since
    1970, and once `most` trials of the study have been begun, no other is begun.
    """

    store: str
    files: str | None
    study: str
    threads: int = 1
    painter: str = PAINTING
    until: float | None = None
    most: int | None = None

    def open(self) -> Store:
        """The store."""
        return Store.open(self.store, self.files)

    def find_painter(self) -> Painter:
        """The painter by its name."""
        module, _, name = self.painter.partition(":")
        found: Painter = getattr(importlib.import_module(module), name)
        return found


def json_of(job: Job) -> str:
    """A job for another process."""
    return json.dumps(asdict(job))


def job_from_json(text: str) -> Job:
    """The job that `json_of` wrote."""
    return Job(**json.loads(text))


# ---- painting ------------------------------------------------------------------------------------------


def painting(trial: Trial) -> Work[Outcome]:
    """Paint a trial and score the picture; raises a GramaryeError."""
    begun = begin(trial)
    steps = max(1, trial.settings.steps)
    for step in begun.steps():
        yield min(1.0, step.index / steps)
    found = outcome(trial, begun)
    yield 1.0  # scoring may have taken as long as many steps
    return found


def begin(trial: Trial) -> Painting:
    """The painting of a trial, ready to begin; raises a GramaryeError."""
    from gramarye import machine, transfer

    machine.choose_device(trial.settings.device)
    _forget_peak()
    return transfer.prepare(trial.pair.content, trial.pair.style, trial.settings, preset=trial.preset)


def outcome(trial: Trial, begun: Painting) -> Outcome:
    """What a painting has come to so far, with its scores."""
    from gramarye import images

    result = begun.result()
    memory = _peak(result)  # before the scores, which have networks of their own
    size = (result.pixels.shape[2], result.pixels.shape[3])
    scorer = _scorer(trial.pair.content, trial.pair.style, size, trial.settings.network.name)
    scores = scorer(result.pixels)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "picture.png"
        images.save(result.pixels, file, recipe=result.recipe)
        picture = file.read_bytes()
    return Outcome(
        picture=picture,
        ledger=ledger.to_bytes(result),
        scores=scores,
        terms={term["name"]: term["value"] for term in result.terms},
        total=result.total,
        seconds=result.seconds,
        memory=memory,
        evaluations=result.history[-1].index if result.history else 0,
        version=gramarye.__version__,
    )


def paint(trial: Trial) -> Outcome:
    """Paint a trial to its end."""
    return finish(painting(trial))


@lru_cache(maxsize=4)
def _scorer(content: str, style: str, size: tuple[int, int], network: str) -> Scorer:
    """Scores of pictures of `size` for a pair: both pictures as they are, the painting no larger than the result.

    What the settings make of the painting (its size, its colours) does not count: scores are to be comparable.
    """
    from gramarye import images, scores
    from gramarye.inline import shrunk
    from gramarye.settings import Settings

    photograph = images.resize(images.load(content).pixels, size)
    networks = scores.networks(Settings().with_(**{"network.name": network}))
    return scores.Scorer(photograph, shrunk(images.load(style).pixels, max(size)), networks)


def _forget_peak() -> None:
    """Measure the peak of memory anew, where the system has a way to ask for it."""
    import torch

    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.reset_peak_memory_stats()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak is what it is now; see proc(5)


def _peak(result: Result) -> int:
    """Bytes at the peak since `_forget_peak`; where it cannot be forgotten, since the process began."""
    if result.recipe["machine"]["device"].startswith("cuda"):
        return result.peak_memory
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    return result.peak_memory


# ---- a worker ------------------------------------------------------------------------------------------


class Pulse:
    """Signs of life for the trials in hand, from a thread of its own, as long as the `with` block lasts."""

    def __init__(self, store: Store) -> None:
        self.store, self.held, self.lost = store, dict[int, Claim](), set[int]()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._end.wait(BEAT):
            for claim in list(self.held.values()):
                with suppress(GramaryeError):  # the next one may come through
                    if not self.store.heartbeat(claim):
                        self.lost.add(claim.row)


def working(job: Job) -> Generator[None, None, None]:
    """Paint one trial after another until none is left that waits or is being painted by anybody.

    Yields often, at least at each step of a painting. Closing it gives back the trial in hand, as Ctrl-C does. Raises
    StudyError when the store cannot be used any more.
    """
    store, painter = job.open(), job.find_painter()
    with Pulse(store) as pulse:
        while True:
            claim = claimed(job, store)
            if claim is not None:
                yield from _work_on(claim, store, painter, pulse)
            elif is_over(job, store):
                return
            else:
                yield
                time.sleep(IDLE)


def claimed(job: Job, store: Store) -> Claim | None:
    """The next trial, unless no more may be begun."""
    if job.until is not None and time.time() > job.until:
        return None
    return store.claim(job.study, most=job.most)


def is_over(job: Job, store: Store) -> bool:
    """Whether nothing is left to wait for, a trial that another one paints and may not bring to its end."""
    summary = store.summary(job.study)
    return not summary.counts["running"] or (job.until is not None and time.time() > job.until)


def _work_on(claim: Claim, store: Store, painter: Painter, pulse: Pulse) -> Generator[None, None, None]:
    pulse.held[claim.row] = claim
    try:
        outcome = yield from _until_lost(painter(claim.trial), claim, pulse)
    except Exception as error:
        store.fail(claim, in_one_line(error))
    except BaseException:  # closed, or Ctrl-C
        store.give_back(claim)
        raise
    else:
        if outcome is not None:
            keep(store, claim, outcome)
    finally:
        del pulse.held[claim.row]


def _until_lost(work: Work[Outcome], claim: Claim, pulse: Pulse) -> Generator[None, None, Outcome | None]:
    """Pull `work`; None if meanwhile the trial was given to another."""
    while claim.row not in pulse.lost:
        try:
            next(work)
        except StopIteration as end:
            found: Outcome = end.value
            return found
        yield
    work.close()
    pulse.lost.discard(claim.row)
    return None


def keep(store: Store, claim: Claim, outcome: Outcome) -> None:
    """Keep what came of a trial; where the store cannot, as with a full disk, the trial is given back unharmed."""
    try:
        store.finish(claim, outcome)
    except BaseException:
        with suppress(StudyError):
            store.give_back(claim)
        raise


def in_one_line(error: BaseException) -> str:
    """An error as a record keeps it."""
    text = str(error) if isinstance(error, GramaryeError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:LONGEST].rstrip(": ")


def in_this_process(job: Job) -> Generator[None, None, None]:
    """A worker in this process, with its number of threads while it lasts."""
    if job.painter != PAINTING:
        yield from working(job)
        return
    from gramarye import machine

    with machine.threads(job.threads):
        yield from working(job)
