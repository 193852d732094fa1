"""Studies as the studio reads them: their state, trials, curves, conclusions and choices."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import painters
from gramarye import images, inline
from gramarye.errors import MissingExtraError, StudyError
from gramarye.studio import studies as module
from gramarye.studio.refusals import Unknown
from gramarye.studio.studies import Studies
from gramarye.study import choosing, database, owner
from gramarye.study.record import Outcome, Trial
from gramarye.study.store import Store
from networks import picture

GONE = f"{owner.machine()}/999999999/1"  # no process has this number
PLAN = 'question = "How strong?"\n[[pairs]]\ncontent = "demo:photograph"\nstyle = "demo:cubist"\n'
AXES = '[axes]\n"style.weight" = [1, 2]\n'


def outcome(trial: Trial) -> Outcome:
    """What `painters` make of a trial, with a picture that is one and a curve of 1000 points."""
    made = painters.outcome(trial)
    curve = {"step": list(range(1, 1001)), "scale": [0] * 1000, "total": [1000.0 / step for step in range(1, 1001)]}
    curve["total"][1] = None  # not finite
    ledger = {"terms": [], "value": {}, "weighted": {}, **curve}
    pixels = inline.encoded(picture(60, 80, trial.number), "PNG")
    return replace(made, picture=pixels, ledger=json.dumps(ledger).encode())


def do(store: Store, study: str, count: int = 100) -> None:
    for _ in range(count):
        claim = store.claim(study)
        if claim is None:
            return
        assert store.finish(claim, outcome(claim.trial))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of five trials, two of them done, and what is no store; to be copied."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "pictures").mkdir()
    store = Store.open(folder / "five.study")
    store.add("five", painters.trials(5), {"ssim": "higher"})
    do(store, "five", 2)
    store.database.engine.dispose()
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "studies"))


@pytest.fixture
def store(folder: Path) -> Store:
    """The store as another process would have it open."""
    return Store.open(folder / "five.study")


@pytest.fixture
def studies(folder: Path) -> Studies:
    return Studies(folder)


def only(studies: Studies) -> dict[str, Any]:
    (found,) = studies.summaries()
    return found


def test_a_study_is_listed_with_how_far_it_is(studies: Studies) -> None:
    found = only(studies)
    assert (found["name"], found["state"], found["total"]) == ("five", "stopped", 5)
    assert found["trials"] == {"waiting": 3, "done": 2}
    assert "five" not in found["id"]


def test_a_study_runs_while_a_process_is_at_work_and_is_done_at_the_end(studies: Studies, store: Store) -> None:
    claim = store.claim("five")
    assert claim
    assert only(studies)["state"] == "running"
    assert store.finish(claim, outcome(claim.trial))
    do(store, "five")
    assert only(studies)["state"] == "done"


def test_a_killed_process_is_not_at_work(studies: Studies, store: Store) -> None:
    store.claim("five", GONE)
    found = only(studies)
    assert (found["state"], found["trials"]["running"]) == ("stopped", 1)
    assert store.records("five")[2].tries == 1  # looking has changed nothing


def test_the_question_is_that_of_a_plan_beside_the_store(studies: Studies, folder: Path) -> None:
    assert only(studies)["question"] == ""
    (folder / "five.toml").write_text(PLAN + AXES)
    assert only(studies)["question"] == "How strong?"
    (folder / "five.toml").write_text("no plan")
    assert only(studies)["question"] == ""


def test_a_folder_may_be_a_store_itself(folder: Path) -> None:
    assert only(Studies(folder / "five.study"))["name"] == "five"


def test_without_a_folder_stores_named_study_are_taken_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(folder / "five.study", folder / "another")
    monkeypatch.chdir(folder)
    assert [each["name"] for each in Studies().summaries()] == ["five"]
    assert len(Studies(folder).summaries()) == 2


def test_a_store_that_cannot_be_read_says_so_and_hides_no_other(studies: Studies, folder: Path) -> None:
    (folder / "bad.study").mkdir()
    (folder / "bad.study" / "study.db").write_bytes(b"not a database, only some text that is long enough")
    bad, good = studies.summaries()
    assert "a store must be readable" in bad["question"]
    assert good["name"] == "five"
    with pytest.raises(StudyError, match="readable"):
        studies.study(bad["id"])
    assert studies.study(good["id"])["total"] == 5


def test_a_store_that_was_made_anew_is_read_anew(studies: Studies, folder: Path) -> None:
    assert only(studies)["total"] == 5
    shutil.rmtree(folder / "five.study")
    Store.open(folder / "five.study").add("other", painters.trials(2), {})
    assert [(each["name"], each["total"]) for each in studies.summaries()] == [("other", 2)]


def test_without_optuna_one_line_says_what_to_install(studies: Studies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"[Pp]ip install 'gramarye\[study\]'"):
        studies.summaries()


# ---- one study -------------------------------------------------------------------------------------------


def test_trials_have_levels_scores_and_pictures(studies: Studies) -> None:
    found = studies.study(only(studies)["id"])
    first, *_, last = found["trials_table"]
    expected = painters.outcome(painters.trial(0))
    assert (first["number"], first["group"], first["pair"], first["state"]) == (0, "weights", "a", "done")
    assert (first["levels"], first["scores"]) == ({"style.weight": 1.0}, expected.scores)
    assert first["image"] == f"/api/studies/{found['id']}/trials/0.webp"
    assert (last["state"], last["image"], last["scores"]) == ("waiting", None, {})
    assert [(each["name"], each["better"]) for each in found["scores"]] == [
        ("cfsd@vgg19-lite", "lower"),
        ("ssim", "higher"),
    ]
    assert all(each["help"] for each in found["scores"])
    assert found["groups"] == [{"name": "weights", "question": "", "reported": "", "axes": ["style.weight"]}]


def test_levels_that_are_no_numbers_are_words(folder: Path) -> None:
    levels = {"optimizer.clamp": True, "style.layers": ("relu1_1", "relu2_1"), "init": "noise"}
    Store.open(folder / "words.study").add("words", [painters.trial(0, **levels)], {})
    studies = Studies(folder / "words.study")
    (trial,) = studies.study(only(studies)["id"])["trials_table"]
    assert trial["levels"] == {"optimizer.clamp": "yes", "style.layers": "relu1_1, relu2_1", "init": "noise"}


def test_trials_come_by_the_page(studies: Studies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    identifier = only(studies)["id"]
    numbers = [[each["number"] for each in studies.study(identifier, at)["trials_table"]] for at in (0, 2, 4, 6)]
    assert numbers == [[0, 1], [2, 3], [4], []]


def test_conclusions_are_those_of_the_report_and_follow_the_study(studies: Studies, store: Store) -> None:
    identifier = only(studies)["id"]
    (before,) = studies.study(identifier)["findings"]
    assert before["group"] == "weights"
    assert "2 of 5 trials are finished" in before["says"][0]
    do(store, "five")
    studies._told[identifier] = replace(studies._told[identifier], until=0.0)  # as if time had gone by
    (after,) = studies.study(identifier)["findings"]
    assert "2 of 5" not in after["says"][0]


def test_what_must_not_be_ranked_is_warned_of(studies: Studies) -> None:
    (warning,) = studies.study(only(studies)["id"])["warnings"]
    assert warning.startswith("weights: total loss must not be ranked; style.weight differs (1, 2)")


def test_errors_of_trials_are_told(studies: Studies, store: Store) -> None:
    claim = store.claim("five")
    assert claim
    store.fail(claim, "no picture")
    assert "Trial 2, failed: no picture" in studies.study(only(studies)["id"])["warnings"]


def test_curves_are_thinned_to_their_last_point_and_finite(studies: Studies) -> None:
    (curve, other) = studies.curves(only(studies)["id"], [0, 1, 4])["curves"]  # the last is not finished
    assert (curve["trial"], other["trial"]) == (0, 1)
    assert len(curve["index"]) <= 400
    assert (curve["index"][-1], curve["total"][-1]) == (1000, 1.0)
    assert None not in curve["total"]


def test_trials_and_studies_that_are_not_there_are_unknown(studies: Studies) -> None:
    identifier = only(studies)["id"]
    for call in (
        lambda: studies.study("five"),
        lambda: studies.curves(identifier, [5]),
        lambda: studies.picture(identifier, 99),
        lambda: studies.picture(identifier, 4),
    ):
        with pytest.raises(Unknown):
            call()


def test_a_store_cannot_name_files_outside_of_itself(studies: Studies, store: Store, folder: Path) -> None:
    images.save(picture(20, 20, 1), folder / "private.png")
    (folder / "private.json").write_text('{"step": [1], "total": [2.0]}')
    identifier, before = only(studies)["id"], store.records("five")[0]
    with store.database.writing() as connection:
        for name, outside in ((before.picture, "private.png"), (before.ledger, "private.json")):
            change = f"UPDATE trial_user_attributes SET value_json = replace(value_json, '{name}', '../../{outside}')"
            assert connection.exec_driver_sql(change).rowcount
    assert store.path(store.records("five")[0].picture or "").is_file()
    with pytest.raises(Unknown, match="must lie in its store"):
        studies.picture(identifier, 0)
    with pytest.raises(Unknown, match="must lie in its store"):
        studies.curves(identifier, [0])


def test_thumbnails_are_small(studies: Studies) -> None:
    path = studies.picture(only(studies)["id"], 0)
    data = studies.thumbnail(path, 40)
    assert data[8:12] == b"WEBP"
    with Image.open(io.BytesIO(data)) as shown:
        assert shown.size == (40, 30)


# ---- which is better -------------------------------------------------------------------------------------


def test_choices_are_kept_where_tuning_keeps_them(studies: Studies, store: Store) -> None:
    identifier = only(studies)["id"]
    choice = studies.study(identifier)["choice"]
    assert {choice["left"], choice["right"]} == {0, 1}
    assert studies.study(identifier)["choice"] == choice  # the order does not change
    after = studies.prefer(identifier, {**choice, "better": "right"})
    assert after["choice"] is None  # there are but two
    answers = choosing.read(choosing.place_of(store.archive.folder, "five", "a"))
    keys = {number: painters.trial(number).key for number in (0, 1)}
    assert [(each.winner, each.loser, each.tie) for each in answers] == [
        (keys[choice["right"]], keys[choice["left"]], False)
    ]
    strengths = {each["trial"]: each["strength"] for each in after["preferences"]}
    assert strengths[choice["right"]] > 1 > strengths[choice["left"]]
    assert studies.study(identifier)["preferences"] == after["preferences"]


def test_a_tie_makes_both_alike(studies: Studies) -> None:
    identifier = only(studies)["id"]
    after = studies.prefer(identifier, {"left": 0, "right": 1, "better": "same"})
    first, second = after["preferences"]
    assert first["strength"] == pytest.approx(second["strength"])


def test_pictures_of_different_pairs_are_not_compared(folder: Path) -> None:
    store = Store.open(folder / "pairs.study")
    other = replace(painters.PAIR, name="b")
    trials = [replace(painters.trial(number), pair=other if number > 1 else painters.PAIR) for number in range(4)]
    store.add("pairs", trials, {})
    do(store, "pairs")
    studies = Studies(folder / "pairs.study")
    identifier, seen = only(studies)["id"], []
    while (choice := studies.study(identifier)["choice"]) is not None:
        seen.append(({choice["left"], choice["right"]}, choice["question"]))
        studies.prefer(identifier, {**choice, "better": "left"})
    assert seen == [({0, 1}, "Which is better, of a?"), ({2, 3}, "Which is better, of b?")]
    with pytest.raises(StudyError, match="of one pair"):
        studies.prefer(identifier, {"left": 0, "right": 2, "better": "left"})


def test_answers_stay_in_their_store_whatever_the_study_is_called(folder: Path) -> None:
    store = Store.open(folder / "odd.study")
    store.add("../../../odd", painters.trials(2), {})
    do(store, "../../../odd")
    studies = Studies(folder / "odd.study")
    studies.prefer(only(studies)["id"], {"left": 0, "right": 1, "better": "left"})
    assert len(list((store.archive.folder / "choices").iterdir())) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"left": 0, "right": 1},
        {"left": 0, "right": 1, "better": "both"},
        {"left": 0, "right": 0, "better": "left"},
        {"left": 0, "right": 3, "better": "left"},
        {"left": True, "right": 1, "better": "left"},
        {"left": "0", "right": 1, "better": "left"},
    ],
)
def test_what_is_no_answer_is_refused_and_not_kept(studies: Studies, store: Store, answer: dict[str, Any]) -> None:
    with pytest.raises(StudyError):
        studies.prefer(only(studies)["id"], answer)
    assert not (store.archive.folder / "choices").exists()


# ---- following -------------------------------------------------------------------------------------------


def test_a_study_has_changed_when_it_is_further(studies: Studies, store: Store, folder: Path) -> None:
    identifier = only(studies)["id"]
    assert studies.changed() == []
    assert studies.changed() == []
    claim = store.claim("five")
    assert claim
    assert studies.changed() == [identifier]
    store.heartbeat(claim)
    assert studies.changed() == []  # written to, but nothing that is shown
    assert store.finish(claim, outcome(claim.trial))
    assert studies.changed() == [identifier]
    Store.open(folder / "new.study").add("new", painters.trials(1), {})
    (new,) = studies.changed()
    shutil.rmtree(folder / "new.study")
    assert studies.changed() == [new]


def test_a_change_is_seen_whatever_the_time_of_the_file(studies: Studies, store: Store, folder: Path) -> None:
    def same_time() -> None:  # two commits within one tick of the clock
        for file in (folder / "five.study").glob("study.db*"):
            os.utime(file, ns=(0, 0))

    same_time()
    assert only(studies)["trials"] == {"waiting": 3, "done": 2}
    assert studies.study(only(studies)["id"])["trials_table"][2]["state"] == "waiting"
    do(store, "five", 1)
    same_time()
    assert only(studies)["trials"] == {"waiting": 2, "done": 3}
    assert studies.study(only(studies)["id"])["trials_table"][2]["state"] == "done"


def test_reading_studies_needs_no_torch(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from gramarye.studio.studies import Studies;"
        "s = Studies(Path(sys.argv[1])); i = s.summaries()[0]['id'];"
        "assert s.study(i)['findings'] and s.curves(i, [0])['curves'];"
        "assert 'torch' not in sys.modules and 'optuna' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)
