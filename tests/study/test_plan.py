"""Plans: read, scaled, counted, refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gramarye import images
from gramarye.errors import GramaryeError, SettingsError, StudyError
from gramarye.presets import preset
from gramarye.study import plan
from gramarye.study.experiment import MOST
from networks import picture

HEAD = """
name = "how strong"
question = "How strong?"
[[pairs]]
content = "photo.png"
style = "painting.png"
[base]
preset = "draft"
size = 64
steps = 4
"network.name" = "vgg19-lite"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """photo.png and painting.png."""
    images.save(picture(48, 64, 1), tmp_path / "photo.png")
    images.save(picture(64, 48, 2), tmp_path / "painting.png")
    return tmp_path


def written(folder: Path, text: str, name: str = "study.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_plan_is_read_whole(folder: Path) -> None:
    found = plan.read(
        written(
            folder,
            HEAD
            + """
[axes]
"style.weight" = [1, 10.0]
init = ["content", "noise"]
[design]
kind = "factorial"
[budget]
seconds = 60
""",
        )
    )
    assert (found.name, found.question, plan.count(found)) == ("how strong", "How strong?", 4)
    assert found.budget == plan.Budget(60.0, None)
    assert found.pairs[0].name == "photo × painting"
    assert Path(found.pairs[0].content) == (folder / "photo.png").resolve()
    trials = plan.trials(found)
    expected = [(1.0, "content"), (1.0, "noise"), (10.0, "content"), (10.0, "noise")]
    assert [tuple(trial.levels.values()) for trial in trials] == expected
    assert [trial.number for trial in trials] == [0, 1, 2, 3]
    base = preset("draft").with_(size=64, steps=4, **{"network.name": "vgg19-lite"})
    for trial, (weight, init) in zip(trials, expected, strict=True):
        assert trial.settings == base.with_(init=init, **{"style.weight": weight})
        assert (trial.group, trial.preset, trial.replicate) == ("how strong", "draft", 0)
    assert len({trial.key for trial in trials}) == 4


def test_knobs_may_be_dotted_without_quotation_marks(folder: Path) -> None:
    quoted = plan.read(written(folder, HEAD + '"content.weight" = 3\n[axes]\n"style.weight" = [1, 2]'))
    bare = plan.read(written(folder, HEAD + "content.weight = 3\n[axes]\nstyle.weight = [1, 2]"))
    assert quoted.groups == bare.groups


def test_an_axis_may_vary_knobs_together(folder: Path) -> None:
    text = """
[axes.loss]
squared = {}
absolute = { "content.distance" = "l1", style.distance = "l1" }
"""
    first, second = plan.trials(plan.read(written(folder, HEAD + text)))
    assert (first.levels, second.levels) == ({"loss": "squared"}, {"loss": "absolute"})
    assert (first.settings.content.distance, first.settings.style.distance) == ("l2", "l2")
    assert (second.settings.content.distance, second.settings.style.distance) == ("l1", "l1")


def test_one_at_a_time_begins_at_the_base_and_has_it_once(folder: Path) -> None:
    text = '"style.weight" = 10\n[axes]\n"style.weight" = [1, 10, 100]\ninit = ["content", "noise"]'
    found = plan.read(written(folder, HEAD + text))
    trials = plan.trials(found)
    assert plan.count(found) == len(trials) == 5  # init=matched is draft's own and none of the two
    assert trials[0].levels == {"style.weight": 10.0, "init": "matched"}
    assert [trial.levels["style.weight"] for trial in trials[1:3]] == [1.0, 100.0]


def test_replicates_and_seeds_number_the_trials_of_a_point(folder: Path) -> None:
    axes = '[axes]\ninit = ["noise", "content"]\n[design]\nkind = "factorial"'
    three = plan.trials(plan.read(written(folder, "replicates = 3" + HEAD + "seed = 5\n" + axes)))
    assert [(trial.settings.seed, trial.replicate) for trial in three] == [(5, 0), (6, 1), (7, 2)] * 2
    named = plan.trials(plan.read(written(folder, "seeds = [9, 2]" + HEAD + axes)))
    assert [trial.settings.seed for trial in named] == [9, 2, 9, 2]


def test_groups_inherit_and_includes_are_taken_once(folder: Path) -> None:
    written(folder, HEAD.replace("how strong", "inner") + '[axes]\ninit = ["noise", "black"]', "inner.toml")
    text = (
        'include = ["inner.toml", "inner.toml"]\n'
        + HEAD
        + """
[[groups]]
name = "weak"
base = { "style.weight" = 1 }
[[groups]]
name = "strong"
base = { preset = "default", "style.weight" = 100 }
seeds = [1, 2]
"""
    )
    found = plan.read(written(folder, text))
    assert [(group.name, group.size) for group in found.groups] == [("weak", 1), ("strong", 2), ("inner", 3)]
    weak, strong, _ = found.groups
    assert weak.settings == preset("draft").with_(size=64, steps=4, **{"style.weight": 1, "network.name": "vgg19-lite"})
    assert (strong.preset, strong.settings.size, strong.settings.style.weight) == ("default", 64, 100.0)


def test_a_key_says_what_decides_the_outcome(folder: Path) -> None:
    text = HEAD + '[axes]\ninit = ["content", "noise"]'
    first = plan.trials(plan.read(written(folder, text)))
    moved = folder / "elsewhere"
    moved.mkdir()
    for name in ("photo.png", "painting.png", "study.toml"):
        (folder / name).rename(moved / name)
    assert [trial.key for trial in plan.trials(plan.read(moved / "study.toml"))] == [trial.key for trial in first]
    images.save(picture(48, 64, 7), moved / "photo.png")
    other = {trial.key for trial in plan.trials(plan.read(moved / "study.toml"))}
    assert not other & {trial.key for trial in first}


def test_auto_is_settled_once_for_all_machines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAMARYE_HOME", str(folder / "home"))
    text = HEAD.replace('"network.name" = "vgg19-lite"', "") + '[axes]\ninit = ["content"]'
    assert {trial.settings.network.name for trial in plan.trials(plan.read(written(folder, text)))} == {"vgg19-lite"}


def test_scale_multiplies_sizes_and_steps_of_base_and_axes(folder: Path) -> None:
    text = HEAD.replace("size = 64", "size = 256").replace("steps = 4", "steps = 300")
    found = plan.read(written(folder, text + "[axes]\nsteps = [100, 300]"), scale=0.25)
    trials = plan.trials(found)
    assert found.scale == 0.25
    assert [(trial.settings.size, trial.settings.steps) for trial in trials] == [(64, 75), (64, 25)]


def test_changes_are_taken_as_they_are(folder: Path) -> None:
    path = written(folder, HEAD + '[axes]\n"style.weight" = [1, 2]')
    found = plan.read(path, scale=0.5, changes={"size": "48", "init": "noise"})
    assert {(trial.settings.size, trial.settings.steps, trial.settings.init) for trial in plan.trials(found)} == {
        (48, 2, "noise")
    }


def test_pairs_and_pictures_may_be_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    pairs = [("photo.png", "painting.png"), ("painting.png", "photo.png")]
    found = plan.read("image-types", pairs=pairs)
    assert [each.name for each in found.pairs] == ["photo × painting", "painting × photo"]
    found = plan.read("image-types", pictures={"demo:watercolour": "painting.png"})
    assert [Path(each.content).name for each in found.pairs] == ["grace_hopper.jpg", "painting.png"] * 2
    assert [each.name for each in found.pairs][:2] == ["portrait × cubist", "landscape × cubist"]


def test_a_layer_keeps_its_weight_when_others_are_left_out(folder: Path) -> None:
    base = '"style.layers" = ["relu1_1", "relu2_1", "relu3_1"]\n"style.layer_weights" = '
    axes = '\n[axes]\n"style.layers" = [["relu2_1", "relu3_1"], ["relu4_1"]]\n[design]\nkind = "factorial"'
    trials = plan.trials(plan.read(written(folder, HEAD + base + "[1, 2, 3]" + axes)))
    assert [trial.settings.style.layer_weights for trial in trials] == [(2.0, 3.0), ()]
    trials = plan.trials(plan.read(written(folder, HEAD + base + "[2, 2, 2]" + axes)))
    assert [trial.settings.style.layer_weights for trial in trials] == [(2.0, 2.0), (2.0,)]


def test_two_pairs_of_one_name_are_told_apart(folder: Path) -> None:
    other = folder / "other"
    other.mkdir()
    images.save(picture(48, 64, 3), other / "photo.png")
    text = HEAD + '[[pairs]]\ncontent = "other/photo.png"\nstyle = "painting.png"\n[axes]\ninit = ["noise"]'
    assert [each.name for each in plan.read(written(folder, text)).pairs] == ["photo × painting", "photo × painting 2"]


def test_parse_reads_tables_made_in_python(folder: Path) -> None:
    tables = {
        "pairs": [{"content": "photo.png", "style": "painting.png"}],
        "base": {"preset": "draft", "size": 64, "network.name": "vgg19-lite"},
        "axes": {"style.weight": [1, 2]},
        "design": "factorial",
    }
    assert len(plan.trials(plan.parse(tables, folder=folder))) == 2


def test_remarks_tell_what_a_reader_should_know(folder: Path) -> None:
    axes = '[axes]\n"style.weight" = [1, 2]\n"content.weight" = [1, 2]'
    shallow = HEAD + 'style.layers = "relu1_1"\ncontent.layers = "relu3_2"\n'
    found = plan.read(written(folder, "replicates = 2" + HEAD + axes))
    one_at_a_time, seeds, optimised = plan.remarks(found, plan.trials(found))
    assert "does not tell how the axes act together" in one_at_a_time
    assert "nothing in it is random" in seeds
    assert "style-frechet" in optimised  # at relu2_1, which draft optimises
    assert "held-out" not in optimised.partition("look at")[0]
    everything = "replicates = 2" + shallow + 'init = "noise"\n' + axes + '\n[design]\nkind="factorial"'
    noisy = plan.read(written(folder, everything))
    assert plan.remarks(noisy, plan.trials(noisy)) == ()


SEVEN = (
    "steps",
    "style.weight",
    "content.weight",
    "smoothness.weight",
    "smoothness.chroma",
    "smoothness.box",
    "optimizer.history",
)
AXES = '[axes]\n"style.weight" = [1, 10]\n'
BAD = {
    "unknown knob": ('[axes]\n"style.wieght" = [1]', "unknown knob; got 'style.wieght' in how strong. Did you mean 's"),
    "unknown knob of the base": (
        "stepps = 3\n" + AXES,
        "unknown knob; got 'stepps' in how strong. Did you mean 'steps",
    ),
    "out of range": ('[axes]\n"style.weight" = [1, -5]', "style.weight must lie in 0 … 1e+15; got -5"),
    "not a choice": ('[axes]\ninit = ["contend"]', "unknown init; got 'contend' in how strong. Did you mean 'content'"),
    "wrong type": ('[axes]\nsteps = ["many"]', "steps must be a whole number; got 'many'"),
    "not a list": ("[axes]\nsteps = 3", "the axis steps must be a list of values"),
    "an axis twice": (AXES + '"style.weight" = [3]', "in which every key is there once"),
    "an axis twice in two ways": (AXES + "style.weight = [3]", "[axes] names each knob once; got style.weight twice"),
    "a knob in two axes": (
        AXES + '[axes.both]\na = { "style.weight" = 1 }',
        "each knob is varied by one axis; got style.weight in two",
    ),
    "a value twice": (
        '[axes]\n"style.weight" = [1, 1.0]',
        "the axis style.weight takes each value once; got 1.0 twice",
    ),
    "no values": ('[axes]\n"style.weight" = []', "no trials"),
    "no axes": ("[axes]", "no trials"),
    "nothing varied": ("", "a plan needs axes, groups or include; got no trials"),
    "ten million trials": (
        "[axes]\n"
        + "\n".join(f'"{knob}" = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]' for knob in SEVEN)
        + '\n[design]\nkind = "factorial"',
        f"a plan has at most {MOST} trials; got 10000000 in how strong. Name fewer",
    ),
    "random without a count": (AXES + '[design]\nkind = "random"', "a random design needs axes, and a count of trials"),
    "more than there are": (AXES + '[design]\nkind = "random"\ncount = 3', "takes each combination once; got count 3"),
    "count of a factorial": (AXES + '[design]\nkind = "factorial"\ncount = 3', "leave count out".capitalize()),
    "unknown design": (AXES + '[design]\nkind = "factorail"', "unknown design; got 'factorail'"),
    "a range to be walked": ('[axes]\n"style.weight" = { low = 1, high = 9 }', "design needs values, not a range"),
    "a range upside down": (
        '[axes]\n"style.weight" = { low = 9, high = 1 }\n[design]\nkind = "random"\ncount = 2',
        "the range of style.weight needs a low and a higher high; got 9.0 … 1.0",
    ),
    "the seed as an axis": ("[axes]\nseed = [1, 2]", "the seed is not an axis"),
    "unknown key of a design": (AXES + '[design]\nkinds = "random"', "unknown key of [design]; got 'kinds'"),
    "unknown key of a pair": ('[[pairs]]\ncontents = "x"\n' + AXES, "unknown key of [[pairs]]; got 'contents'"),
    "budget of nothing": (AXES + "[budget]\nseconds = 0", "seconds of [budget] must be more than 0"),
    "a group without a name": (AXES + "[[groups]]\nquestion = '?'", "an experiment of a plan needs a name"),
    "a group of the plan's name": (
        AXES + "[[groups]]\nname = 'how strong'",
        "experiments of a plan have different names",
    ),
    "a missing picture": (
        '[[groups]]\nname = "g"\n[[groups.pairs]]\ncontent = "photo.png"\nstyle = "no.png"',
        "a picture must be a file that can be read",
    ),
    "an unknown bundled picture": (
        '[[groups]]\nname = "g"\n[[groups.pairs]]\ncontent = "photo.png"\nstyle = "demo:cubits"',
        "unknown bundled picture; got 'cubits' in how strong. Did you mean 'cubist'?",
    ),
    "an unknown preset": ("[[groups]]\nname = 'g'\n[groups.base]\npreset = 'drafft'", "unknown preset; got 'drafft'"),
    "nothing asked of the picture": (
        '"content.weight" = 0\n"smoothness.weight" = 0\n[axes]\n"style.weight" = [0, 1]',
        "something must be asked of the picture",
    ),
    "a start of one's own": ('[axes]\ninit = ["file"]', "a study cannot begin with a picture of your own"),
    "a layer that the network lacks": ('[axes]\n"style.layers" = ["relu5_3"]', "it ends at conv5_1".capitalize()),
    "shares of another count": (
        '[axes]\n"scales.count" = [2]',
        "scales.shares needs one share for each of the 2 scales",
    ),
}
TOP = {
    "unknown key": ("stepz = 3", "unknown key of a plan; got 'stepz'"),
    "unknown score": (
        'scores = ["style-grim"]',
        "unknown score; got 'style-grim' in how strong. Did you mean 'style-gram'",
    ),
    "no seeds": ("seeds = []", "seeds of a plan must be a list of whole numbers; got an empty one"),
    "no replicates": ("replicates = 0", "replicates of a plan must be a whole number from 1 up; got 0"),
    "both": ("seeds = [1]\nreplicates = 2", "a plan has seeds or replicates; got both"),
    "a seed twice": ("seeds = [1, 1]", "seeds of a plan are there once each"),
    "a text that is none": ("reported = 5", "reported of a plan must be text; got 5"),
    "10 million seeds": ("replicates = 10_000_000", f"a plan has at most {MOST} trials; got 30000000"),
    "an unknown include": (
        'include = ["iteration"]',
        "unknown plan; got 'iteration' in how strong. Did you mean 'iterations'",
    ),
    "a missing include": ('include = ["gone.toml"]', "a plan must be a TOML file that can be read"),
    "itself": ('include = ["study.toml"]', "a plan must not include itself; got study → study"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_plan_is_answered_in_one_line_before_anything_runs(folder: Path, case: str) -> None:
    text, told = BAD[case]
    refused(written(folder, HEAD + text), told)


@pytest.mark.parametrize("case", TOP)
def test_bad_keys_are_answered_in_one_line(folder: Path, case: str) -> None:
    text, told = TOP[case]
    refused(written(folder, text + HEAD + AXES), told)


def refused(path: Path, told: str) -> None:
    with pytest.raises(GramaryeError) as caught:
        plan.trials(plan.read(path))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_includes_in_a_circle_are_told_with_their_way(folder: Path) -> None:
    written(folder, 'include = ["b.toml"]', "a.toml")
    written(folder, 'include = ["c.toml"]', "b.toml")
    with pytest.raises(StudyError, match="a → b → c → a"):
        plan.read(written(folder, 'include = ["a.toml"]', "c.toml").with_name("a.toml"))


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"name = ", "without mistakes"), (b"\xff\xfe", "in UTF-8"), (b"#" * 1_000_001, "of more than 1000000 bytes")],
)
def test_files_that_are_no_plans(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(StudyError, match=told):
        plan.read(path)


def test_a_folder_is_no_plan(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="a plan must be a TOML file that can be read"):
        plan.read(tmp_path)


def test_a_scale_that_makes_values_equal_or_too_small_is_told(folder: Path) -> None:
    path = written(folder, HEAD + "[axes]\nsteps = [1, 2]")
    with pytest.raises(StudyError, match=r"takes each value once; got 1 twice at a scale of 0.5"):
        plan.read(path, scale=0.5)
    with pytest.raises(SettingsError, match="size must lie in 32"):
        plan.read(path, scale=0.25)
    with pytest.raises(StudyError, match="a scale must lie in"):
        plan.read(path, scale=0.0)


def test_a_size_too_small_for_a_layer_is_told(folder: Path) -> None:
    images.save(picture(32, 600, 1), folder / "photo.png")
    path = written(folder, HEAD + "[axes]\nsize = [64, 96]")
    with pytest.raises(StudyError, match=r"relu5_1 needs a picture of at least 16 px on each side; got 64×3"):
        plan.trials(plan.read(path))


def test_a_change_of_what_is_varied_is_refused(folder: Path) -> None:
    with pytest.raises(StudyError, match=r"style\.weight is what the plan varies"):
        plan.read(written(folder, HEAD + AXES), changes={"style.weight": 3})


def test_pairs_are_needed(folder: Path) -> None:
    with pytest.raises(StudyError, match="a plan needs pairs of a photograph and a painting"):
        plan.read(written(folder, AXES))


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 300)
    | st.floats()
    | st.sampled_from(["", "demo:cubist", "relu1_1", "×"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "low", "high", "preset", "style", "steps", "name", "style.weight"]), inner
        )
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(plan.KEYS), JUNK, max_size=4))
def test_whatever_is_in_a_plan_is_answered_in_one_line(tables: dict[str, object]) -> None:
    whole = {"pairs": [{"content": "demo:photograph", "style": "demo:cubist"}], "axes": {"style.weight": [1]}, **tables}
    told = ""
    try:
        plan.count(plan.parse(whole))
    except GramaryeError as error:
        told = str(error)
    assert "\n" not in told
