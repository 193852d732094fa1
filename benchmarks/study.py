"""What studies cost: `python benchmarks/study.py [overhead] [workers] [many]`, on a machine that does nothing else.

- overhead: the share of a 256 px trial's time that is not painting: preparing, scores, store;
- workers: a study of 24 trials in one process with all threads, and in as many processes as cores with one each;
- many: a store with 100 000 trials: put in, opened, summed up, read, shown.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gramarye import demo
from gramarye.presets import preset
from gramarye.settings import Settings
from gramarye.study import encoding, work
from gramarye.study.record import Outcome, Pair, Trial
from gramarye.study.store import Store
from gramarye.study.work import Job

SECTIONS = ("overhead", "workers", "many")
PAIR = Pair("demo", str(demo.photograph()), str(demo.styles()[0]))
SCORES = {"ssim": "higher", "cfsd": "lower", "style-gram": "lower"}
MANY = 100_000


def paintings(count: int, settings: Settings, vary: str = "seed") -> list[Trial]:
    """So many trials of one pair that differ in one knob; made without checking all settings, which takes long."""
    return [
        Trial(
            number=number,
            group="benchmark",
            pair=PAIR,
            levels={vary: number},
            settings=encoding.changed(settings, {vary: number}),
            preset="default",
            replicate=0,
            key=f"{number:064x}",
        )
        for number in range(count)
    ]


def timed(call: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def overhead(folder: Path) -> None:
    """Trials of 256 px in one worker: the time beside painting, without the first one, which warms up."""
    settings = preset("default").with_(size=256, **{"network.name": "vgg19-lite"})
    job = Job(str(folder / "overhead"), None, "overhead", threads=os.cpu_count() or 1)
    kept = job.open()
    kept.add("overhead", paintings(4, settings), SCORES)
    ends = []
    for _ in work.in_this_process(job):
        if kept.summary("overhead").ended > len(ends):
            ends.append(time.perf_counter())
    ends.append(time.perf_counter())
    whole = (ends[-1] - ends[0]) / (len(ends) - 1)
    painting = sum(record.seconds or 0 for record in kept.records("overhead")[1:]) / 3
    print(f"256 px, {settings.steps} steps, lite: {whole:.2f} s a trial, {painting:.2f} s of it painting,")
    print(f"  {100 * (whole - painting) / painting:.1f} % beside it (preparing, scores, ledger, picture, store)")


def workers(folder: Path) -> None:
    """The same 24 trials, each way in processes that begin anew, start-up and all."""
    cores = os.cpu_count() or 1
    settings = preset("default").with_(size=256, steps=60, **{"network.name": "vgg19-lite"})
    for number, threads in ((1, cores), (cores, 1), (1, cores), (cores, 1)):
        with tempfile.TemporaryDirectory(dir=folder) as place:
            job = Job(place, None, "workers", threads)
            job.open().add("workers", paintings(24, settings), SCORES)
            took = timed(lambda job=job, number=number: _in_a_process(job, number))
            counts = job.open().summary("workers").counts
            assert counts["done"] == 24, counts
            print(f"24 trials of 256 px, {settings.steps} steps: {number} × {threads} threads  {took:6.1f} s")


def _in_a_process(job: Job, number: int) -> None:
    """As `gramarye study run` does it; one worker is the process itself."""
    code = (
        "import sys; from gramarye import machine; from gramarye.study import processes, work; machine.keep_memory();"
        "job, number = work.job_from_json(sys.argv[1]), int(sys.argv[2]);"
        "[None for _ in (work.in_this_process(job) if number == 1 else processes.run(job, number))]"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": str(job.threads)}
    subprocess.run([sys.executable, "-c", code, work.json_of(job), str(number)], check=True, env=environment)


def many(folder: Path) -> None:
    """A store with 100 000 trials, nine tenths of them done."""
    trials = paintings(MANY, preset("default").with_(size=256), vary="style.weight")
    kept = Store.open(folder / "many.study")
    print(f"{MANY} trials: put in {timed(lambda: kept.add('many', trials, SCORES)):.1f} s")
    print(f"  again, as a second start does {timed(lambda: kept.add('many', trials, SCORES)):.1f} s")
    _finish_most(kept)
    print(f"  the next one claimed {timed(lambda: kept.claim('many')):.3f} s")
    print(f"  its summary {timed(lambda: kept.summary('many')):.2f} s")
    print(f"  its records {timed(lambda: kept.records('many')):.2f} s, each of them made on demand")
    print(f"  all records made {timed(lambda: list(kept.records('many'))):.2f} s")
    command = [sys.executable, "-c", "from gramarye.cli import main; main()", "study", "show", "many"]
    shown = timed(lambda: subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL))
    print(f"  gramarye study show, start-up and all {shown:.2f} s")
    code = "from gramarye.study.store import Store; s = Store.open('many.study'); len(s.records('many'))"
    opened = timed(lambda: subprocess.run([sys.executable, "-c", code], check=True, cwd=folder))
    print(f"  opened and its records in a new process {opened:.2f} s")


def _finish_most(kept: Store) -> None:
    """Finish nine tenths at once: one by one would take an hour."""
    claim = kept.claim("many")
    assert claim
    scores = {f"score-{number}@vgg19-lite": 0.123456789 * number for number in range(9)}
    terms = {f"style relu{number}_1": 1.23456789 * number for number in range(10)}
    outcome = Outcome(b"picture", b"{}", scores, terms, 1.5, 7.2, 500_000_000, 200, "0")
    assert kept.finish(claim, outcome)
    with kept.database.writing() as connection:
        for statement in (
            "INSERT INTO trial_user_attributes (trial_id, key, value_json) SELECT o.trial_id, 'outcome', a.value_json "
            f"FROM gramarye_trials o, trial_user_attributes a WHERE a.trial_id = {claim.row} AND a.key = 'outcome' "
            "AND o.tries = 0 AND o.number % 10 < 9",
            "UPDATE trials SET state = 'COMPLETE' WHERE trial_id IN "
            "(SELECT trial_id FROM gramarye_trials WHERE number % 10 < 9)",
            "UPDATE gramarye_trials SET seconds = 7.2, version = '0', tries = 1 WHERE number % 10 < 9",
        ):
            connection.exec_driver_sql(statement)


def main(chosen: Sequence[str]) -> None:
    for section in chosen or SECTIONS:
        with tempfile.TemporaryDirectory() as folder:
            globals()[section](Path(folder))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []])
    main(parser.parse_args().sections)
