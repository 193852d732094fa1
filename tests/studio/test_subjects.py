"""What the lens looks at: the newest picture, looked at anew only where it has changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gramarye import images
from gramarye.errors import ImageError
from gramarye.explain.pulls import arrows
from gramarye.studio import subjects
from gramarye.studio.gallery import Gallery
from gramarye.studio.refusals import Unknown
from gramarye.studio.subjects import Exhibit, Subjects, TooEarly, newest, settings_at
from gramarye.vgg import VGG

from .exhibits import RUN, SHAPE, hang, painted, pulled, show


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes of the pictures that a network has looked at."""
    seen: list[tuple[int, int]] = []
    forward = VGG.forward

    def counted(self: VGG, image: torch.Tensor, layers: object) -> dict[str, torch.Tensor]:
        seen.append((image.shape[2], image.shape[3]))
        return forward(self, image, layers)

    monkeypatch.setattr(VGG, "forward", counted)
    return seen


def look(home: Path, subjects: Subjects, run: str = RUN, **known: object) -> Exhibit:
    found, _ = pulled(subjects.look(hang(home, run, **known)))
    return found


def subjects_in(home: Path) -> Subjects:
    return Subjects(home / "runs", Gallery(home))


def test_the_three_pictures_are_of_one_run(home: Path) -> None:
    found = look(home, subjects_in(home), result=True)
    assert found.at == "result-4"
    assert [tuple(each.shape[2:]) for each in found.pictures.values()] == [SHAPE, (76, 96), SHAPE]
    assert float((found.pictures["result"] - painted(4)).abs().max()) < 0.003  # but for 8 bit
    assert found.network.dtype == torch.float32
    assert found.layers[0] == "relu1_1"
    assert found.layers[-1] == "relu5_1"
    assert len(found.layers) == 13


def test_one_pass_a_picture_serves_all_layers(home: Path, passes: list[tuple[int, int]]) -> None:
    found = look(home, subjects_in(home))
    passes.clear()
    for layer in found.layers:
        here, _ = pulled(found.see(layer))
        assert set(here) == {"photograph", "painting", "result"}
        with torch.no_grad():
            own = found.network(found.pictures["result"], [layer])[layer]
        passes.pop()
        assert torch.equal(here["result"], own)
    assert passes == [SHAPE, (76, 96), SHAPE]


def test_while_it_is_painted_only_the_new_picture_is_looked_at(home: Path, passes: list[tuple[int, int]]) -> None:
    known = subjects_in(home)
    before = look(home, known, frames=(0, 4))
    pulled(before.see("relu2_1"))
    passes.clear()
    show(home, before.record, [8])
    after, _ = pulled(known.look(before.record))
    assert (before.at, after.at) == ("frame-4", "frame-8")
    pulled(after.see("relu2_1"))
    assert passes == [SHAPE]
    assert float((after.pictures["result"] - painted(8)).abs().mean()) < 0.02  # a WebP of it
    assert float((before.pictures["result"] - painted(4)).abs().mean()) < 0.02  # whoever looks at it goes on
    again, _ = pulled(known.look(before.record))
    assert again.pictures is after.pictures


def test_two_exhibits_are_kept_and_the_activations_of_the_last(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    hung = subjects.hung
    monkeypatch.setattr(subjects, "hung", lambda *given: made.append(given[0].id) or hung(*given))
    known, runs = subjects_in(home), [f"{number:016x}" for number in range(3)]
    first = look(home, known, runs[0])
    pulled(first.see("relu1_1"))
    second = look(home, known, runs[1])
    pulled(second.see("relu1_1"))
    assert not first.activations
    assert second.activations
    for run in (0, 1, 2, 1, 0):
        look(home, known, runs[run])
    assert made == [runs[0], runs[1], runs[2], runs[0]]


def test_what_was_begun_is_ended_though_its_activations_were_let_go(home: Path) -> None:
    known = subjects_in(home)
    first = look(home, known, "0" * 16)
    work = first.see("relu1_1")
    next(work)
    next(work)
    look(home, known, "1" * 16)
    found, _ = pulled(work)
    assert set(found) == {"photograph", "painting", "result"}


def test_what_cannot_be_looked_at(home: Path) -> None:
    known = subjects_in(home)
    with pytest.raises(TooEarly, match="when it has a picture; got waiting"):
        look(home, known, frames=(), state="waiting")
    found = look(home, known)
    for layer in ("relu5_2", "conv1_1", "..", "relu1_1 "):
        with pytest.raises(Unknown, match="has, and not too deep"):
            pulled(found.see(layer))
    with pytest.raises(Unknown, match="that frame; got 3"):
        known.frame(found, 3)
    with pytest.raises(ImageError, match="identifier"):
        look(home, known, "1" * 16, styles=["gone"])


def test_a_frame_is_as_it_was_shown(home: Path) -> None:
    known = subjects_in(home)
    found = look(home, known, knobs={"color": "luminance"})
    frame = known.frame(found, 0)
    assert tuple(frame.shape[2:]) == SHAPE
    assert float((frame[:, :1] - frame).abs().max()) == 0  # grey, as the objective saw it
    assert float((frame.mean(1) - painted(0).mean(1)).abs().mean()) < 0.1


def test_settings_and_objective_are_those_of_their_time(home: Path) -> None:
    changes = [
        {"index": 2, "settings": {"style.weight": 60.0}},
        {"index": 4, "settings": {"style.layer_weights": [0, 1, 1, 1, 2]}},
    ]
    found = look(home, subjects_in(home), changes=changes)
    assert [settings_at(found.record, index).style.weight for index in (0, 2, 3, 4, 9)] == [30, 30, 60, 60, 60]
    first, second, third = (found.objective_at(SHAPE, index) for index in (0, 3, 5))
    assert found.objective_at(SHAPE, 2) is first
    pairs = [
        ({term.name: term.weight for term in one.terms}, {term.name: term.weight for term in other.terms})
        for one, other in ((first, second), (second, third))
    ]
    assert all(pairs[0][1][name] == pytest.approx(2 * pairs[0][0][name]) for name in pairs[0][0] if "style" in name)
    assert pairs[1][1]["style relu5_1"] == pytest.approx(2 * pairs[1][0]["style relu5_1"])
    assert "style relu1_1" not in pairs[1][1]


def test_pairs_that_were_left_out_do_not_pull(home: Path) -> None:
    plain = look(home, subjects_in(home), "0" * 16)
    without = look(home, subjects_in(home), "1" * 16, without=[["relu1_1", 0, 1], ["relu1_1", 2, 2]])
    values = []
    for each in (plain, without):
        objective = each.objective_at(SHAPE, 4)
        with torch.no_grad():
            seen = each.network(each.photograph, objective.layers)
        values.append({term.name: float(term.measure(seen[term.layer])) for term in objective.terms})
    differing = {name for name in values[0] if values[0][name] != values[1][name]}
    assert differing == {"style relu1_1"}
    assert values[1]["style relu1_1"] < values[0]["style relu1_1"]


def test_a_narrow_picture_is_looked_at_in_a_size_that_the_deepest_layer_can_see(home: Path) -> None:
    found = look(home, subjects_in(home))
    height, width = subjects.looked_at((2000, 125), found.network)
    assert (height, width) == (256, 16)
    assert subjects.looked_at((90, 60), found.network) == (90, 60)
    assert subjects.looked_at((600, 1200), found.network) == (128, 256)
    small = [torch.zeros(1, 3, 8, 40), torch.zeros(1, 3, 99, 99)]
    assert subjects.within_reach(found.network, small)[-1] == "relu4_4"


def test_the_newest_picture(home: Path) -> None:
    record = hang(home, frames=(0, 2))
    assert newest(record, home / "runs" / RUN)[0] == "frame-2"
    record = hang(home, frames=(0, 2, 8), result=True)
    at, path = newest(record, home / "runs" / RUN)
    assert (at, path.name) == ("result-8", "result.png")


def test_pulls_under_a_mask_are_those_of_its_region(home: Path) -> None:
    record = hang(home, mask=True)
    mask = torch.zeros(1, 3, *SHAPE)
    mask[:, :, :, :41] = 1
    images.save(mask, home / "runs" / RUN / "mask.png")
    found, _ = pulled(subjects_in(home).look(record))
    objective = found.objective_at(SHAPE, 4)
    names = [term.name for term in objective.terms if term.layer == "relu1_1"]
    assert len(names) == 1
    assert " · " in names[0]
    pull = arrows(found.network, objective, subjects_in(home).frame(found, 4)).magnitudes[:, :, 1].float()
    assert pull[:, 24:].sum() < 0.05 * pull[:, :12].sum()


def test_few_objectives_are_held(home: Path) -> None:
    changes = [{"index": index, "settings": {"style.weight": 1.0 + index}} for index in range(12)]
    found = look(home, subjects_in(home), changes=changes)
    for index in range(12):
        found.objective_at((48, 41), index)
    assert len(found.objectives) == subjects.OBJECTIVES
    assert found.objective_at((48, 41), 11) is found.objective_at((48, 41), 11)
