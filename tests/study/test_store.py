"""The store: what is put in, whose turn it is, what is kept, and that nothing is lost, doubled or redone."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

import painters
from gramarye import files
from gramarye.errors import MissingExtraError, StudyError
from gramarye.presets import preset
from gramarye.settings import KNOBS
from gramarye.study import encoding, owner, store
from gramarye.study.store import Store

SCORES = {"ssim": "higher", "cfsd": "lower"}
GONE = f"{owner.machine()}/999999999/1"  # no process has this number


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a study of five trials, to be copied: Optuna takes a second to make one."""
    folder = tmp_path_factory.mktemp("made")
    made = Store.open(folder)
    made.add("five", painters.trials(5), SCORES)
    made.database.engine.dispose()
    return folder


@pytest.fixture
def kept(five: Path, tmp_path: Path) -> Store:
    """A store with a study of five trials."""
    shutil.copytree(five, tmp_path / "store")
    return Store.open(tmp_path / "store")


def states(kept: Store, study: str = "five") -> list[str]:
    return [record.state for record in kept.records(study)]


def do(kept: Store, study: str = "five", count: int = 100) -> list[int]:
    """Claim and finish so many trials, or all; their numbers in the order of their turn."""
    numbers = []
    while len(numbers) < count and (claim := kept.claim(study)):
        assert kept.finish(claim, painters.outcome(claim.trial))
        numbers.append(claim.trial.number)
    return numbers


# ---- what is put in --------------------------------------------------------------------------------------


def test_trials_come_back_as_they_were(kept: Store) -> None:
    assert [record.trial for record in kept.records("five")] == painters.trials(5)
    assert states(kept) == ["waiting"] * 5
    assert kept.studies == ("five",)
    claim = kept.claim("five")
    assert claim is not None
    assert claim.trial == painters.trial(0)


changes = st.fixed_dictionaries(
    {},
    optional={
        "size": st.integers(32, 500),
        "init": st.sampled_from(KNOBS["init"].choices),
        "style.weight": st.floats(0, 1e15),
        "style.layers": st.lists(st.sampled_from(["relu1_1", "relu2_1", "conv_4"]), min_size=1, max_size=3),
        "scales.shares": st.lists(st.floats(0.1, 1), max_size=3),
        "optimizer.clamp": st.booleans(),
        "network.name": st.sampled_from(KNOBS["network.name"].choices),
    },
)


@given(changes, changes)
def test_settings_survive_as_changes_of_a_base(of_base: dict[str, object], of_trial: dict[str, object]) -> None:
    base = preset("gatys-2015").with_(**of_base)
    before = base.to_json()
    trial = replace(painters.trial(3), settings=base.with_(**of_trial), levels={"scales.shares": (0.5, 0.2), "size": 3})
    text = encoding.trial_to_json(trial, "b", encoding.flat(base))
    assert encoding.trial_from_json(text, 3, {"b": base}) == trial
    assert base.to_json() == before


def test_every_knob_is_in_flat() -> None:
    assert set(encoding.flat(preset("default"))) == set(KNOBS)


def test_the_same_plan_joins_its_study(kept: Store) -> None:
    do(kept, count=2)
    again = kept.add("five", painters.trials(5), SCORES)
    assert (again.new, again.known, again.left_out) == (0, 5, 0)
    assert states(kept) == ["done", "done", "waiting", "waiting", "waiting"]


def test_another_version_of_a_plan_keeps_what_is_done(kept: Store) -> None:
    do(kept, count=2)
    changed = [replace(painters.trial(number), number=place) for place, number in enumerate((7, 1, 3))]
    again = kept.add("five", changed, SCORES)
    assert (again.new, again.known, again.left_out) == (1, 2, 3)
    assert [record.trial for record in kept.records("five")] == changed
    assert states(kept) == ["waiting", "done", "waiting"]
    assert kept.summary("five").left_out == 3
    assert sorted(do(kept)) == [0, 2]  # those left out are not painted
    kept.add("five", painters.trials(5), SCORES)  # and back again: nothing that was done is lost
    assert states(kept) == ["done", "done", "waiting", "done", "waiting"]


def test_where_pictures_lie_may_change(kept: Store) -> None:
    moved = [replace(trial, pair=replace(trial.pair, content="/elsewhere/a.jpg")) for trial in painters.trials(5)]
    assert kept.add("five", moved).new == 0
    assert kept.records("five")[4].trial == moved[4]


def test_several_studies_in_one_store(kept: Store) -> None:
    kept.add("two", painters.trials(2), {})
    assert set(kept.studies) == {"five", "two"}
    do(kept, "two")
    assert states(kept, "two") == ["done", "done"]
    assert states(kept) == ["waiting"] * 5
    with pytest.raises(StudyError, match=r"unknown study .*'fife'.*[Dd]id you mean 'five'"):
        kept.records("fife")


def test_equal_keys_are_painted_once(tmp_path: Path) -> None:
    kept = Store.open(tmp_path)
    twins = [painters.trial(0, key="k"), painters.trial(1), painters.trial(2, group="other", key="k")]
    kept.add("twins", twins)
    first, second = kept.claim("twins"), kept.claim("twins")
    assert first
    assert second
    assert (first.trial.number, second.trial.number) == (0, 1)
    assert kept.claim("twins") is None  # the third waits for the first
    kept.finish(first, painters.outcome(first.trial))
    assert states(kept, "twins") == ["done", "running", "done"]
    records = kept.records("twins")
    assert records[0].picture == records[2].picture
    assert [record.tries for record in records] == [1, 1, 0]
    kept.add("twins", [*twins, painters.trial(3, group="third", key="k")])
    assert states(kept, "twins") == ["done", "running", "done", "done"]
    assert kept.records("twins")[3].scores == records[0].scores


# ---- whose turn it is ------------------------------------------------------------------------------------


def test_each_trial_is_given_out_once(kept: Store) -> None:
    numbers = [claim.trial.number for _ in range(5) if (claim := kept.claim("five"))]
    assert numbers == [0, 1, 2, 3, 4]
    assert kept.claim("five") is None
    assert states(kept) == ["running"] * 5
    assert [number for number, _ in kept.summary("five").running] == numbers
    assert kept.summary("five").running[0][1] == f"process {os.getpid()}"


def test_threads_and_stores_do_not_get_the_same_trial(tmp_path: Path) -> None:
    """Optuna's own queue gives one trial to several on SQLite."""
    Store.open(tmp_path).add("many", painters.trials(40), SCORES)
    found: list[int] = []

    def work() -> None:
        found.extend(do(Store.open(tmp_path), "many"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(40))


def test_stores_made_at_the_same_time_are_one(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); import painters; from gramarye.study.store import Store;"
        "print(Store.open(sys.argv[1]).add('x', painters.trials(20), {'ssim': 'higher'}).new)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "store"), str(Path(painters.__file__).parent)]
    begun = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    assert sorted(int(each.communicate()[0]) for each in begun) == [0, 20]
    assert [each.returncode for each in begun] == [0, 0]
    assert len(Store.open(tmp_path / "store").records("x")) == 20


def test_fresh_trials_before_those_that_failed(kept: Store) -> None:
    claim = kept.claim("five")
    assert claim
    kept.fail(claim, "no luck")
    assert kept.records("five")[0].state == "failed"
    assert kept.errors("five") == [(0, "failed", "no luck")]
    assert do(kept) == [1, 2, 3, 4, 0]
    assert kept.errors("five") == []
    assert kept.records("five")[0].tries == 2


def test_two_failures_set_a_trial_aside_and_retry_brings_it_back(kept: Store) -> None:
    do(kept, count=4)
    for error in ("first", "second"):
        claim = kept.claim("five")
        assert claim
        kept.fail(claim, error)
    assert kept.claim("five") is None
    record = kept.records("five")[4]
    assert (record.state, record.tries, record.error) == ("set aside", 2, "second")
    assert kept.retry("five") == 1
    assert kept.records("five")[4].state == "waiting"
    assert do(kept) == [4]
    assert kept.retry("five") == 0


def test_a_trial_of_a_dead_process_waits_again_at_once(kept: Store) -> None:
    lost = kept.claim("five", GONE)
    claim = kept.claim("five")
    assert lost
    assert claim
    assert claim.trial.number == 1
    record = kept.records("five")[0]
    assert (record.state, record.tries) == ("failed", 1)
    assert record.error == "its worker ended without a word (process 999999999)"
    assert not kept.heartbeat(lost)
    assert not kept.finish(lost, painters.outcome(lost.trial))
    assert kept.records("five")[0].state == "failed"


def test_a_process_of_that_number_that_began_later_is_another(kept: Store) -> None:
    kept.claim("five", f"{owner.machine()}/{os.getpid()}/1")
    assert kept.release("five") == 1


def test_on_another_machine_silence_is_death(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    away = kept.claim("five", "far-away-1-2/77/5")
    assert away
    assert kept.summary("five").running == ((0, "process 77 on far-away-1"),)
    assert kept.release("five") == 0
    monkeypatch.setattr(store, "LEASE", 0.05)
    time.sleep(0.1)
    assert kept.heartbeat(away)
    assert kept.release("five") == 0
    time.sleep(0.1)
    assert kept.release("five") == 1
    assert not kept.finish(away, painters.outcome(away.trial))
    claim = kept.claim("five")
    assert claim
    assert claim.trial.number == 1


def test_what_is_given_back_was_not_tried(kept: Store) -> None:
    claim = kept.claim("five")
    assert claim
    kept.give_back(claim)
    assert (kept.records("five")[0].state, kept.records("five")[0].tries) == ("waiting", 0)
    kept.claim("five", GONE)
    assert kept.release("five", stopped=[GONE]) == 1
    assert (kept.records("five")[0].state, kept.records("five")[0].tries) == ("waiting", 0)


def test_no_more_are_begun_than_wanted(kept: Store) -> None:
    assert kept.claim("five", most=2)
    claim = kept.claim("five", most=2)
    assert claim
    assert kept.claim("five", most=2) is None
    kept.finish(claim, painters.outcome(claim.trial))
    assert kept.claim("five", most=2) is None
    assert kept.claim("five", most=3)


# ---- what is kept ----------------------------------------------------------------------------------------


def test_a_finished_trial_is_kept_with_its_files(kept: Store) -> None:
    claim = kept.claim("five")
    assert claim
    outcome = painters.outcome(claim.trial)
    assert kept.finish(claim, outcome)
    record = kept.records("five")[0]
    assert (record.state, record.scores, record.terms, record.total) == (
        "done",
        outcome.scores,
        outcome.terms,
        outcome.total,
    )
    assert (record.seconds, record.memory, record.evaluations, record.version) == (0.5, 1000, 4, "test")
    assert record.picture
    assert record.ledger
    assert kept.path(record.picture).read_bytes() == outcome.picture
    assert kept.ledger(record)["step"] == []
    assert kept.summary("five").versions == {"test": 1}
    assert not kept.finish(claim, replace(outcome, total=1))  # once
    assert kept.records("five")[0].total == outcome.total
    with pytest.raises(StudyError, match="waiting"):
        kept.ledger(kept.records("five")[1])


def test_records_are_a_sequence(kept: Store) -> None:
    do(kept, count=2)
    records = kept.records("five")
    assert len(records) == 5
    assert records[1:3] == list(records)[1:3]
    assert records[-1] == list(records)[-1]
    assert records == kept.records("five")
    assert records != kept.records("five")[:4]


def test_how_far_and_how_long(tmp_path: Path) -> None:
    kept = Store.open(tmp_path)
    both = [painters.trial(number, group="ab"[number % 2]) for number in range(6)]
    kept.add("x", both)
    assert kept.summary("x").remaining(1) is None
    do(kept, "x", 2)
    summary = kept.summary("x")
    assert [(each.name, each.counts, each.seconds) for each in summary.experiments] == [
        ("a", {"done": 1, "waiting": 2}, 0.5),
        ("b", {"done": 1, "waiting": 2}, 0.5),
    ]
    assert (summary.total, summary.ended, summary.left) == (6, 2, 4)
    assert summary.remaining(1) == pytest.approx(2.0)
    assert summary.remaining(2) == pytest.approx(1.0)
    kept.claim("x")
    assert kept.summary("x").remaining(1) == pytest.approx(1.75)


def test_a_pruned_trial_is_no_result(kept: Store) -> None:
    claim = kept.claim("five")
    assert claim
    kept.finish(claim, painters.outcome(claim.trial), "pruned")
    assert kept.records("five")[0].state == "pruned"
    assert kept.records("five")[0].total is not None
    assert kept.summary("five").ended == 1


def test_a_full_disk_loses_nothing(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = kept.claim("five")
    assert claim

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", full)
        with pytest.raises(StudyError, match=r"no space left on device.*what is done is kept|What is done is kept"):
            kept.finish(claim, painters.outcome(claim.trial))
    assert kept.records("five")[0].state == "running"
    assert not list(kept.archive.folder.glob("**/*.tmp"))
    assert kept.finish(claim, painters.outcome(claim.trial))
    assert states(kept)[0] == "done"


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StudyError, match="not a database"):
        Store.open(tmp_path).records("x")


def test_what_killed_processes_left_half_written_goes(kept: Store) -> None:
    folder = kept.archive.folder / "ab"
    folder.mkdir(parents=True)
    old, new = folder / ".ab.png.1234.tmp", folder / ".ab.png.5678.tmp"
    for file in (old, new):
        file.write_bytes(b"x")
    os.utime(old, (0, 0))
    kept.archive.sweep()
    assert [file.name for file in folder.iterdir()] == [new.name]


@pytest.mark.parametrize(
    ("where", "about"),
    [
        ("mysql://a/b", "PostgreSQL"),
        ("postgresql://u@h/d", "--files"),
        ("a?b", "question mark"),
    ],
)
def test_places_that_are_no_store(where: str, about: str) -> None:
    with pytest.raises(StudyError, match=about):
        Store.open(where)


def test_a_store_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(StudyError, match="must be there"):
            Store.open(folder).records("x")
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match="a folder or a URL"):
        Store.open(tmp_path / "file")
    assert {file.name for file in tmp_path.iterdir()} == {"file"}


def test_a_missing_optuna_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"gramarye\[study\]"):
        Store.open(tmp_path)


# ---- in Optuna's eyes ------------------------------------------------------------------------------------


def test_optuna_reads_a_store(tmp_path: Path) -> None:
    kept = Store.open(tmp_path)
    levels = [
        {"style.weight": 1.0, "init": "black", "style.layers": ("relu1_1",)},
        {"style.weight": 100.0, "init": "noise", "style.layers": ("relu1_1", "relu2_1")},
        {"style.weight": 10.0, "init": "black", "style.layers": ("relu1_1",)},
        {"style.weight": 5.0, "init": "black", "style.layers": ("relu1_1",)},
    ]
    kept.add("x", [painters.trial(number, **each) for number, each in enumerate(levels)], SCORES)
    do(kept, "x", 3)
    claim = kept.claim("x")
    assert claim
    kept.fail(claim, "error")
    claim = kept.claim("x")
    assert claim
    kept.fail(claim, "error")
    study = optuna.load_study(study_name="x", storage=f"sqlite:///{tmp_path}/study.db")
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert study.metric_names == ["ssim", "cfsd"]
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "COMPLETE", "COMPLETE", "FAIL"]
    assert [trial.number for trial in study.trials] == [0, 1, 2, 3]
    assert study.trials[1].params == {"style.weight": 100.0, "init": "noise", "style.layers": "relu1_1,relu2_1"}
    weights = study.trials[0].distributions["style.weight"]
    assert weights == optuna.distributions.FloatDistribution(1, 100, log=True)
    outcome = painters.outcome(claim.trial)
    for trial, record in zip(study.trials[:3], kept.records("x"), strict=False):
        assert trial.values == [record.scores["ssim"], record.scores["cfsd@vgg19-lite"]]
        assert trial.user_attrs["outcome"]["total"] == record.total
        assert trial.user_attrs["trial"]["key"] == record.trial.key
        assert trial.datetime_complete is not None
    assert outcome
    assert len(study.best_trials) >= 1
    best = max(kept.records("x")[:3], key=lambda record: record.scores["ssim"])
    assert best.trial.number in [trial.number for trial in study.best_trials]


def test_a_study_that_optuna_deleted_may_be_begun_anew(kept: Store) -> None:
    do(kept)
    optuna.delete_study(study_name="five", storage=kept.optuna())
    added = Store.open(kept.name).add("five", painters.trials(5), SCORES)
    assert added.new == 5
    assert states(Store.open(kept.name)) == ["waiting"] * 5


def test_what_is_not_a_number_is_no_value_but_no_harm(kept: Store) -> None:
    claim = kept.claim("five")
    assert claim
    outcome = replace(painters.outcome(claim.trial), scores={"ssim": float("nan")})
    kept.finish(claim, outcome)
    found = kept.records("five")[0].scores["ssim"]
    assert found != found  # noqa: PLR0124  NaN
    study = optuna.load_study(study_name="five", storage=kept.optuna())
    assert study.trials[0].values == [float("inf"), float("inf")]


def test_many_are_read_quickly_without_optuna(tmp_path: Path) -> None:
    """What takes long to load is not loaded; benchmarks/study.py times 100 000 trials."""
    kept = Store.open(tmp_path)
    kept.add("many", painters.trials(50))
    do(kept, "many", 3)
    code = (
        "import sys; from gramarye.study.store import Store; store = Store.open(sys.argv[1]);"
        "assert len(store.records('many')) == 50; assert store.summary('many').counts['done'] == 3;"
        "assert not {'torch', 'alembic', 'optuna'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
