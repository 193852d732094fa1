"""Workers in several processes of this machine, each with some of its cores.

A worker is `python -m gramarye.study.processes JOB`, a fresh interpreter; its standard input is open as long as
it is wanted. However the process that began it ends, a worker sees its input end and gives back its trial. One that
dies is replaced; its trial waits again (store.py sees to that).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass

from gramarye.errors import StudyError
from gramarye.study import owner, work
from gramarye.study.store import Store
from gramarye.study.work import Job

LOOK = 0.2  # seconds between looks at the workers
PATIENCE = 15.0  # seconds that a worker may take to give back its trial before it is killed
FALSE_STARTS, KILLED = 3, 20  # workers, in a row, that may end without having begun a trial: by an error, by a signal
CANNOT = 3  # a worker's exit status when the store cannot be used


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    said: list[bytes]
    reader: threading.Thread


def run(job: Job, workers: int) -> Generator[None, None, None]:
    """Let so many workers paint until no trial is left. Yields several times a second; closing it ends the workers.

    Raises StudyError when the store cannot be used any more, or workers cannot even begin.
    """
    store, crew = job.open(), list[_Worker]()
    false_starts, begun = 0, -1
    try:
        crew += [_hire(job) for _ in range(workers)]
        while crew:
            time.sleep(LOOK)
            for worker in [each for each in crew if each.process.poll() is not None]:
                crew.remove(worker)
                _bury(worker)
                if worker.process.returncode == 0:
                    continue
                _check(worker)
                store.release(job.study)
                before, begun = begun, store.summary(job.study).tries
                false_starts = false_starts + 1 if begun == before else 0
                if false_starts >= (FALSE_STARTS if worker.process.returncode > 0 else KILLED):
                    raise StudyError("workers must be able to begin", _last_words(worker))
                crew.append(_hire(job))
            yield
    finally:
        _dismiss(crew, store, job.study)


def _hire(job: Job) -> _Worker:
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(job.threads),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gramarye.study.processes", work.json_of(job)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl-C is for whoever began us, who tells us by closing our input
    )
    said: list[bytes] = []
    reader = threading.Thread(target=_listen, args=(process, said), daemon=True)
    reader.start()
    return _Worker(process, said, reader)


def _listen(process: subprocess.Popen[bytes], said: list[bytes]) -> None:
    """Keep the last lines that a worker says, so that it never waits for a reader."""
    with suppress(OSError, ValueError):
        for line in process.stderr or ():
            said.append(line)
            del said[:-20]


def _check(worker: _Worker) -> None:
    """Raises StudyError for a worker that ended because the store cannot be used."""
    if worker.process.returncode == CANNOT:
        rule, received, remedy = json.loads(_last_words(worker))
        raise StudyError(rule, received, remedy)


def _bury(worker: _Worker) -> None:
    """Leave nothing of a worker that has ended but its last words."""
    worker.process.wait()
    worker.reader.join(timeout=2)
    for pipe in (worker.process.stdin, worker.process.stderr):
        with suppress(OSError):
            if pipe:
                pipe.close()


def _last_words(worker: _Worker) -> str:
    text = b"".join(worker.said[-1:]).decode(errors="replace").strip()
    return text or f"exit status {worker.process.returncode}"


def _dismiss(crew: list[_Worker], store: Store, study: str) -> None:
    """End the workers: their inputs are closed, they give back their trials; who does not, is killed."""
    for worker in crew:
        with suppress(OSError):
            if worker.process.stdin:
                worker.process.stdin.close()
    deadline, killed = time.monotonic() + PATIENCE, []
    for worker in crew:
        try:
            worker.process.wait(max(0.0, deadline - time.monotonic()))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            deadline = 0.0
            killed.append(owner.of(worker.process.pid))
            worker.process.kill()
        _bury(worker)
    if killed:
        with suppress(StudyError):
            store.release(study, stopped=killed)


# ---- in the worker ---------------------------------------------------------------------------------------


def _main(text: str) -> int:
    """A worker: the exit status is 0 when no trial is left or it was told to end."""
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    threading.Thread(target=_await_end, args=(end,), daemon=True).start()
    job = work.job_from_json(text)
    going = work.in_this_process(job)
    try:
        if job.painter == work.PAINTING:
            from gramarye import machine

            machine.keep_memory()
        for _ in going:
            if end.is_set():
                break
    except StudyError as error:
        print(json.dumps([error.rule, str(error.received), error.remedy]), file=sys.stderr)
        return CANNOT
    finally:
        going.close()
    return 0


def _await_end(end: threading.Event) -> None:
    """Wait for the input to end, with whoever has the other end of it."""
    with suppress(OSError, ValueError):
        while os.read(0, 1):
            pass
    end.set()


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
