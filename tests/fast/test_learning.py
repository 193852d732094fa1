"""Setting up a training: what it is made of, that it goes on from a checkpoint, what its card says."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gramarye import checkpoint, images, presets
from gramarye.errors import ImageError, OptimizationError, SettingsError
from gramarye.fast import any_style, learning, stored, variety
from gramarye.fast.any_style import AnyStyle, Manner
from gramarye.fast.learning import Learning, prepare
from gramarye.fast.losses import Losses
from gramarye.fast.paint import painter_for
from gramarye.fast.painter import Painter
from gramarye.fast.photographs import Photographs, files_in
from gramarye.fast.plan import KNOWN, Plan, check_knobs
from gramarye.fast.training import PATIENCE, Training, alone
from gramarye.vgg import VGG
from networks import picture, random_weights

SMALL = {"width": 16, "blocks": 1, "last": 8, "coarse": 12}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten photographs, and three paintings in a folder of their own."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "photographs").mkdir()
    (folder / "paintings").mkdir()
    for seed in range(10):
        images.save(picture(48, 60, seed), folder / "photographs" / f"{seed}.png")
    for seed, name in enumerate(("sea", "wood", "sky")):
        images.save(picture(70, 48, 20 + seed), folder / "paintings" / f"{name}.png")
    return folder


@pytest.fixture(autouse=True)
def _few_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "HELD_OUT", 4)  # of ten photographs three


def plan(kind: str = "many", **more: Any) -> Plan:
    settings = presets.DEFAULT.with_(**{"network.name": "vgg19-lite", "device": "cpu", **more.pop("settings", {})})
    small = SMALL if kind == "many" else {}
    return Plan(kind, settings, **{"steps": 4, "batch": 2, "crop": 32, "size": 64, "sizes": small, **more})


def learner(place: Path, kind: str = "many", *paintings: str, unseen: tuple[str, ...] = (), **more: Any) -> Learning:
    folder = place / "paintings"
    named = [folder / f"{name}.png" for name in paintings] or [folder]
    apart = [folder / f"{name}.png" for name in unseen]
    return prepare(place / "photographs", named, plan(kind, **more), unseen=apart)


def values(trained: Learning) -> dict[str, Tensor]:
    return {name: each.clone() for name, each in trained.painter.state_dict().items()}


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(each, other[name]) for name, each in one.items())


def finished(trained: Learning) -> dict[str, Tensor]:
    for _ in trained.steps():
        pass
    return values(trained)


# ---- what is asked for -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"steps": 0}, "steps must lie in 1"),
        ({"steps": -7}, "got -7"),
        ({"batch": 0}, "batch must lie in 1 … 256"),
        ({"crop": 16}, "crop must lie in 32 … 512"),
        ({"size": 8}, "size must lie in 32"),
        ({"hours": -1.0}, "hours must be positive; got -1"),
        ({"hours": float("nan")}, "hours must be positive; got nan"),
        ({"rate": 0.0}, "rate must lie above 0, at most 1; got 0"),
        ({"rate": float("nan")}, "got nan"),
        ({"kind": "several"}, "unknown kind of painter"),
    ],
)
def test_plans_that_cannot_be(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        Plan(**asked)


def test_only_knobs_of_the_objective_have_a_part() -> None:
    check_knobs([*KNOWN, "balance", "nonsense"])
    with pytest.raises(SettingsError, match=r"a part in training; got optimizer\.name\. Known: content\.weight"):
        check_knobs(["style.weight", "optimizer.name"])


def test_what_there_is_to_learn_from(place: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"a folder of photographs; got .*nowhere"):
        prepare(place / "nowhere", [place / "paintings"], plan())
    with pytest.raises(ImageError, match="at least 8 photographs; got 3 in"):
        prepare(place / "paintings", [place / "paintings"], plan())
    with pytest.raises(ImageError, match="a painting is needed"):
        prepare(place / "photographs", [], plan())
    with pytest.raises(ImageError, match="a folder of pictures must have some"):
        prepare(place / "photographs", [tmp_path], plan())
    with pytest.raises(ImageError, match=r"gone\.png"):
        prepare(place / "photographs", [place / "gone.png"], plan())
    with pytest.raises(SettingsError, match="a painter of many styles paints what it has learned"):
        prepare(place / "photographs", [place / "paintings"], plan(), unseen=[place / "paintings" / "sea.png"])


def test_photographs_that_cannot_be_used_are_left_out(place: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photographs"
    shutil.copytree(place / "photographs", folder)
    (folder / "3.png").write_bytes(b"damaged")
    (folder / ".hidden.png").write_bytes(b"not looked at")
    (folder / "folder.png").mkdir()
    (folder / "text.txt").write_text("not looked at")
    assert len(files_in(folder)) == 10
    found = prepare(folder, [place / "paintings"], plan())
    assert len(found.left_out) == 1
    assert "3.png" in found.left_out[0]
    assert (len(found.training.photographs), len(found.held_out)) == (6, 3)
    for name in ("4.png", "5.png"):
        (folder / name).write_bytes(b"damaged")
    with pytest.raises(ImageError, match="at least 8 photographs; got 7 in"):
        prepare(folder, [place / "paintings"], plan())


def test_very_many_photographs_are_thinned_evenly(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "MOST", 9)
    monkeypatch.setattr("gramarye.fast.photographs.LEAST", 4)
    found = learner(place)
    names = [file.name for file in (*found.held_out.files, *found.training.photographs.files)]
    assert sorted(names) == ["0.png", "2.png", "4.png", "6.png", "8.png"]


# ---- the painter -----------------------------------------------------------------------------------


def test_a_seed_makes_a_painter(place: Path) -> None:
    one, again = (finished(learner(place)) for _ in range(2))
    other = finished(learner(place, settings={"seed": 1}))
    assert same(one, again)
    assert not same(one, other)


def test_the_global_generator_is_left_alone(place: Path) -> None:
    before = torch.get_rng_state()
    finished(learner(place))
    assert torch.equal(torch.get_rng_state(), before)


def test_painters_know_their_styles_in_order(place: Path) -> None:
    found = learner(place, "many", "wood", "sea")
    assert isinstance(found.painter, Painter)
    assert found.painter.styles == found.styles.names == ("wood", "sea")
    assert torch.equal(found.styles.told([1]), torch.tensor([[0.0, 1.0]]))


def test_a_painter_of_any_style_is_scaled_by_what_it_meets(place: Path) -> None:
    found = learner(place, "any", "sea", "wood", unseen=("wood",))
    assert found.styles.names == ("sea",)
    assert found.unseen is not None
    assert found.unseen.names == ("wood",)
    painter = found.painter
    assert isinstance(painter, AnyStyle)
    fresh = AnyStyle(any_style.encoder(painter.encoder.dtype))
    files = [str(place / "paintings" / "sea.png")]
    pool = list(variety.pool(files, found.training.photographs.files, 64, 0))
    fresh.measure(pool)
    for name in ("usual", "spread"):
        assert torch.equal(fresh.get_buffer(name), painter.get_buffer(name))
    manner = found.training.told([1 + variety.CUTTINGS])  # the first photograph, after the painting and its cuttings
    assert torch.equal(manner.moments["pixels"][0], painter.remember(pool[1 + variety.CUTTINGS]).moments["pixels"][0])


# ---- going on --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["many", "any"])
def test_going_on_from_a_checkpoint_leads_to_the_very_same_painter(kind: str, place: Path, tmp_path: Path) -> None:
    whole = learner(place, kind, "sea", "wood")
    expected = finished(whole)
    path = tmp_path / "checkpoint"
    for reached in (1, 3):
        part = learner(place, kind, "sea", "wood")
        if path.exists():
            part.restore(checkpoint.load(path, part.identity()))
        for step in part.steps():
            if step.index == reached:
                break
        checkpoint.save(path, part.state(), part.identity())
    last = learner(place, kind, "sea", "wood")
    last.restore(checkpoint.load(path, last.identity()))
    assert [step.index for step in last.steps()] == [4]
    assert same(values(last), expected)
    assert last.mean() == whole.mean()
    one, other = last.card(), whole.card()
    assert one.pop("seconds") > 0
    assert other.pop("seconds") > 0
    assert one == other


def test_what_decides_the_network_tells_checkpoints_apart(place: Path, tmp_path: Path) -> None:
    def other(what: str, kind: str = "many", *paintings: str, **more: Any) -> bool:
        found = checkpoint.difference(learner(place, kind, *paintings, **more).identity(), identity)
        return what in found

    identity = learner(place).identity()
    assert learner(place).identity() == identity
    moved = tmp_path / "moved"
    shutil.copytree(place, moved)
    assert learner(moved).identity() == identity
    assert other("paintings", "many", "sea", "wood")
    assert other("styles", "many", "wood", "sky", "sea")
    assert other("style.weight", settings={"style.weight": 5})
    assert other("seed", settings={"seed": 3})
    for name, value in {"steps": 5, "batch": 1, "crop": 48, "rate": 1e-4}.items():
        assert other(name, **{name: value})
    assert other("style_size", size=48)
    assert other("hours", hours=1.0)
    assert other("kind", "any")
    assert other("start", start="any")
    (moved / "photographs" / "9.png").unlink()
    assert learner(moved).identity() != identity


def test_hours_become_steps_and_nothing_else(place: Path) -> None:
    found = learner(place, hours=1.0)
    before = values(found)
    found.fit(1.0)
    steps = found.training.steps_in_all
    assert steps > 100
    assert same(values(found), before)
    assert (found.training.index, list(found.recent)) == (0, [])
    plain = learner(place, steps=steps)
    for _ in range(3):
        for each in (found, plain):
            next(each.steps())
    assert same(values(found), values(plain))
    assert learner(place, hours=1.0).identity() == found.identity()
    found.fit(1e-9)
    assert found.training.steps_in_all == 1


@pytest.mark.parametrize("kind", ["many", "any"])
def test_it_starts_from_what_another_knows(kind: str, place: Path, tmp_path: Path) -> None:
    exact = {"precision": "float32"}
    found = learner(place, kind, "sea", "wood", start="any", settings=exact)
    assert found.described["start"] == {"name": "fast-any", "sha256": stored.load("any").sha256}
    assert "start" not in learner(place, kind).described
    own = tmp_path / "own.safetensors"
    stored.save(own, found.painter, found.described)
    ours, theirs = (
        painter_for(str(place / "paintings" / "sea.png"), network=network, style_size=size, **exact)(picture(48, 64, 7))
        for network, size in ((own, 0), ("any", 64))
    )
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0.005)  # a file has gains and offsets in float16
    before = values(found)
    assert not same(finished(found), before)


# ---- what is told of it ----------------------------------------------------------------------------


def test_the_card(place: Path, tmp_path: Path) -> None:
    found = learner(place, "many", "sea", "wood")
    finished(found)
    card = found.card()
    assert (card["kind"], card["styles"], card["steps"], card["batch"], card["crop"]) == (
        "many",
        ["sea", "wood"],
        4,
        2,
        32,
    )
    assert card["photographs"] == 7
    assert card["paintings"]["sea"] == images.sha256_of(place / "paintings" / "sea.png")
    assert card["network"]["name"] == "vgg19-lite"
    assert len(card["network"]["sha256"]) == 64
    assert (card["preset"], card["settings"]["style.weight"], card["device"]) == ("default", 30.0, "cpu")
    assert str(place) not in str(card)
    path = tmp_path / "own.safetensors"
    stored.save(path, found.painter, card)
    assert stored.load(path).card == card
    assert painter_for(str(place / "paintings" / "wood.png"), network=path).names == ("wood",)


def test_held_out_photographs_are_measured_as_the_objective_does(place: Path) -> None:
    found = learner(place, "many", "sea", "wood")
    told = found.examined()
    assert (told["photographs"], told["pictures"], told["size"]) == (3, 6, 32)
    assert not {*found.held_out.files} & {*found.training.photographs.files}
    assert told["photograph"]["content"] == 0
    assert told["photograph"]["style"] == pytest.approx(30, rel=1e-3)
    assert 0 < told["painted"]["content"] < 0.2  # an untrained painter takes the painting's colours over
    assert told["painted"]["style"] < 0.8 * told["photograph"]["style"]
    assert told["painted"]["total"] == pytest.approx(sum(list(told["painted"].values())[:-1]))
    means = [each["painted"] for each in told["paintings"].values()]
    assert sum(means) / len(means) == pytest.approx(told["painted"]["total"])
    assert found.examined() == told


def test_of_many_pictures_some_are_measured(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gramarye.fast.examination.MOST", 4)
    assert learner(place, "many", "sea", "wood").examined()["pictures"] == 4
    monkeypatch.setattr("gramarye.fast.examination.MOST", 2)
    assert [*learner(place).examined()["paintings"]] == ["sea", "sky"]


def test_unseen_paintings_are_measured_too(place: Path) -> None:
    found = learner(place, "any", "sea", "wood", unseen=("sky",))
    told = found.card()["held_out"]
    assert [*told["paintings"]] == ["sea", "wood"]
    assert [*told["unseen"]["paintings"]] == ["sky"]
    assert found.described["encoder"] == found.described["network"]["sha256"]
    sheet = found.sheet(picture(40, 64, 1))
    assert sheet.shape == (1, 3, 200, 3 * 320)
    assert float(sheet.max()) <= 1


# ---- more paintings from a few ---------------------------------------------------------------------


def test_the_pool(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, photographs = (
        [str(each) for each in sorted((place / "paintings").iterdir())],
        files_in(place / "photographs"),
    )
    one, again, other = (list(variety.pool(files, photographs, 64, seed)) for seed in (0, 0, 1))
    assert len(one) == 3 * (1 + variety.CUTTINGS) + 5
    assert all(torch.equal(*pair) for pair in zip(one, again, strict=True))
    assert not all(pair[0].shape == pair[1].shape for pair in zip(one, other, strict=True))
    assert [tuple(each.shape[2:]) for each in (one[0], one[-1])] == [(64, 44), (48, 60)]
    for each in one:
        assert 0 <= float(each.min()) <= float(each.max()) <= 1
    monkeypatch.setattr(variety, "MOST", 6)
    assert len(list(variety.pool(files, [], 64, 0))) == 3 * 2
    monkeypatch.setattr(variety, "MOST", 2)
    assert len(list(variety.pool(files, [], 64, 0))) == 2


@given(height=st.integers(32, 200), width=st.integers(32, 200), side=st.integers(32, 250))
def test_paintings_are_never_enlarged_nor_too_small(height: int, width: int, side: int) -> None:
    found = variety.at_most(torch.zeros(1, 3, height, width), side)
    assert min(found.shape[2:]) >= 32
    assert max(found.shape[2:]) == min(side, max(height, width))


# ---- the training itself ---------------------------------------------------------------------------


def test_a_step_without_a_finite_gradient_changes_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = learner(place, steps=2 * PATIENCE)
    next(found.steps())
    before, of = values(found), Losses.of
    monkeypatch.setattr(Losses, "of", lambda *inputs: {key: each * torch.nan for key, each in of(*inputs).items()})
    list(islice(found.steps(), PATIENCE - 1))
    assert same(values(found), before)
    with pytest.raises(OptimizationError, match=f"finite gradients; got nan at step {PATIENCE + 1}"):
        next(found.steps())


def test_everything_happens_where_the_painter_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the device "meta", which computes nothing and refuses what lies elsewhere."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    losses = Losses(VGG(random_weights()).to("meta"), presets.DEFAULT)
    paintings = [picture(48, 48, seed) for seed in (1, 2)]
    anything = AnyStyle(any_style.encoder()).to("meta")
    manners = [anything.remember(each.to("meta")) for each in paintings]
    many = Painter(("one", "other"), **SMALL).to("meta")
    for painter, told in (
        (many, alone(2, torch.device("meta"))),
        (anything, lambda places: Manner.batch([manners[place] for place in places])),
    ):
        training = Training(painter, losses, Photographs([], torch.Generator()), paintings, told, 1)
        pictures = picture(32, 32, 3).expand(2, -1, -1, -1).to(training.device)
        wanted = {layer: gram.expand(2, -1, -1) for layer, gram in training._grams[0].items()}
        found = losses.of(training.paint(pictures, training.told([0, 1])), pictures, wanted)
        assert {each.device.type for each in found.values()} == {"meta"}
