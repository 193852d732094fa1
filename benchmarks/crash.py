"""The crash test: `python benchmarks/crash.py` kills processes of a study at random moments and looks what is lost.

A study of 60 short trials on SQLite with 50 kills, and on PostgreSQL with 20. With `--real` they are paintings, and
kills hit workers that are painting; else they take their time and paint nothing, and kills hit any process. Says what
happened, and ends with an error if anything was lost, doubled or redone more than once a kill, or if the final table
differs from that of an undisturbed run.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import crashing
import painters
import postgres
from gramarye import demo
from gramarye.presets import preset
from gramarye.study.record import Pair, Trial
from gramarye.study.work import PAINTING, Job

TRIALS, SECONDS = 60, 1.0


def paintings(count: int) -> list[Trial]:
    """So many tiny paintings, each with another seed."""
    settings = preset("default").with_(size=64, steps=100, init="noise", **{"network.name": "vgg19-lite"})
    pair = Pair("demo", str(demo.photograph()), str(demo.styles()[0]))
    return [
        replace(painters.trial(number), pair=pair, settings=settings.with_(seed=number), levels={"seed": number})
        for number in range(count)
    ]


def measure(name: str, store: str, files: Path, trials: Sequence[Trial], kills: int, painter: str) -> None:
    """One study with kills and one without, on a store of its kind."""
    job = Job(store, str(files), "crashed", painter=painter)
    calm = replace(job, store=str(files.parent / "calm"), files=None)
    for each in (job, calm):
        each.open().add("crashed", trials, {"ssim": "higher", "cfsd": "lower"})
    crashes = crashing.crash(job, kills, seed=len(name), at_work=painter == PAINTING)
    kept, records = job.open(), job.open().records("crashed")
    redone = sum(record.tries - 1 for record in records) + 2 * crashes.retried
    crashing.undisturbed(calm)
    same = crashing.table(kept, "crashed") == crashing.table(calm.open(), "crashed")
    done = sum(record.state == "done" for record in records)
    print(f"{name}: {len(trials)} trials in {crashes.seconds:.0f} s, {done} done, none lost, none doubled")
    print(f"  {crashes.kills} kills, {crashes.workers_killed} of workers, {crashes.masters_killed} of their master")
    print(f"  {redone} begun again; {crashes.retried} set aside for being killed twice, and painted by --retry")
    print(f"  the table {'equals' if same else 'DIFFERS from'} that of an undisturbed run", flush=True)
    assert same
    assert redone <= crashes.kills
    assert crashes.kills == kills


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", action="store_true", help="paint")
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--kills", type=int, nargs=2, default=(50, 20), help="on SQLite, on PostgreSQL")
    options = parser.parse_args()
    os.environ[painters.SECONDS] = str(SECONDS)
    trials = paintings(options.trials) if options.real else painters.trials(options.trials)
    painter = PAINTING if options.real else "painters:quick"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "sqlite"
        measure("SQLite", str(place), place / "files", trials, options.kills[0], painter)
    if postgres.programs() is None:
        print("PostgreSQL: not installed (apt-get install postgresql)")
        return
    with tempfile.TemporaryDirectory() as folder, postgres.server() as server:
        files = Path(folder) / "postgres" / "files"
        measure("PostgreSQL", server.database(), files, trials, options.kills[1], painter)


if __name__ == "__main__":
    main()
