"""The whole explanation: its order, its progress, what is left out, and how it is stopped."""

from __future__ import annotations

import importlib
import subprocess
import sys
from itertools import islice, pairwise
from pathlib import Path

import pytest
import torch

from gramarye import images
from gramarye.errors import GramaryeError, ImageError, SettingsError
from gramarye.explain import story
from gramarye.explain.contents import DEPTHS, SECTIONS, SIZES
from gramarye.explain.section import Section, pictures, plain
from gramarye.pulling import finish, part_of
from gramarye.transfer import prepare, stylize
from networks import picture
from sections import FINDING, Fake, tiny, told

CONTENT, STYLE = picture(60, 80, 1), picture(70, 64, 2)


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "told", told)


def explained(**asked: object) -> story.Explanation:
    return story.explain(CONTENT, STYLE, asked.pop("settings", tiny()), **asked)


def test_sections_are_told_in_the_order_of_the_story() -> None:
    found = explained(only=["gram", "ledger"])
    assert list(found.sections) == ["ledger", "gram"]
    assert found.wanted == ("ledger", "gram")
    assert found.finished
    assert list(found.seconds) == ["painting", "ledger", "gram"]
    assert found.findings == {"ledger": (FINDING,), "gram": (FINDING,)}


def test_the_result_is_that_of_stylize() -> None:
    found = explained(only="gram")
    torch.testing.assert_close(found.pixels, stylize(CONTENT, STYLE, tiny()).pixels, rtol=0, atol=0)
    assert found.recipe["settings"] == tiny().to_dict()
    assert {term["kind"] for term in found.terms} >= {"content", "style"}
    assert found.subject.run.ledger[0]["gradient"] > 0  # it was watched


def test_a_section_that_cannot_be_told_is_noted() -> None:
    found = explained(only=["landscape", "gram"])
    assert list(found.sections) == ["gram"]
    assert found.missing == {
        "landscape": "a landscape needs a picture that was painted here; got one that was brought along"
    }
    assert found.finished


def test_an_error_that_nobody_can_mend_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(story, "told", broken)
    with pytest.raises(ZeroDivisionError):
        explained(only="gram")


def test_progress_goes_from_nothing_to_all() -> None:
    steps = list(story.explain_steps(CONTENT, STYLE, tiny(), only=["ledger", "gram"]))
    fractions = [step.fraction for step in steps]
    assert fractions[0] == 0
    assert fractions[-1] == pytest.approx(1)
    assert all(one <= other for one, other in pairwise(fractions))
    assert [step.done for step in steps if step.section == "ledger"] == [0, 0.25, 0.5, 0.75, 1]
    assert {(step.section, step.index, step.count) for step in steps} == {
        ("painting", 1, 3),
        ("ledger", 2, 3),
        ("gram", 3, 3),
    }
    assert len({id(step.explanation) for step in steps}) == 1


def test_stopping_is_not_pulling() -> None:
    steps = story.explain_steps(CONTENT, STYLE, tiny(), only=["ledger", "gram"])
    last = next(step for step in steps if step.section == "gram")
    assert list(last.explanation.sections) == ["ledger"]
    assert not last.explanation.finished


def test_a_painting_cut_short_is_kept() -> None:
    begun = story.begin(CONTENT, STYLE, tiny(), only="gram")
    assert begun.stop().subject is None
    list(islice(begun.steps(), 3))
    found = begun.stop()
    assert found.subject.run.history[-1].index == 2
    torch.testing.assert_close(found.pixels, begun.painting.result().pixels, rtol=0, atol=0)
    assert found.terms
    assert not found.finished


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"only": ["grams"]}, "unknown section; got 'grams'. Did you mean 'gram'?"),
        ({"depth": "quik"}, "unknown depth; got 'quik'. Did you mean 'quick'?"),
        ({"settings": tiny(**{"style.layers": ("relu5_2",)})}, "It ends at conv5_1"),
        ({"weights_file": "nowhere.safetensors"}, "nowhere.safetensors"),
    ],
)
def test_bad_input_is_told_before_anything_is_painted(asked: dict[str, object], says: str) -> None:
    with pytest.raises(GramaryeError) as error:
        story.begin(CONTENT, STYLE, asked.pop("settings", tiny()), **asked)
    assert says in str(error.value)


def test_size_and_depth() -> None:
    assert story.begin(CONTENT, STYLE).painting.settings.size == SIZES["quick"]
    assert story.begin(CONTENT, STYLE, depth="full").painting.settings.size == SIZES["full"]
    assert story.begin(CONTENT, STYLE, tiny(), size=64).painting.settings.size == 64
    assert set(SIZES) == set(story.EFFORTS) == set(DEPTHS)
    for efforts in story.EFFORTS.values():
        assert set(efforts) == set(SECTIONS)
        assert all(effort > 0 for effort in efforts.values())


def test_every_section_is_a_module() -> None:
    for name in SECTIONS:
        module = importlib.import_module(f"gramarye.explain.{name}")
        assert callable(module.explain)
        own = [
            each
            for each in vars(module).values()
            if isinstance(each, type) and issubclass(each, Section) and each is not Section and each.name == name
        ]
        assert len(own) == 1, name
        assert own[0].title


def test_the_expected_time_changes_nothing() -> None:
    begun = story.begin(CONTENT, STYLE, tiny(), only="gram")
    before = begun.painting.pixels.clone()
    assert begun.expected_seconds() > 0
    assert not begun.painting.history
    torch.testing.assert_close(begun.painting.pixels, before, rtol=0, atol=0)


# ---- a picture that is brought along ----------------------------------------------------------------


@pytest.fixture
def painted(tmp_path: Path) -> Path:
    """A picture with its recipe inside."""
    settings = tiny(**{"style.layers": ("relu1_1", "relu2_1"), "size": 64})
    painting = prepare(CONTENT, STYLE, settings, preset="draft")
    for _ in painting.steps():
        pass
    painting.result().save(tmp_path / "painted.png")
    return tmp_path / "painted.png"


def test_a_picture_is_explained_with_its_own_settings(painted: Path) -> None:
    found = story.explain(CONTENT, STYLE, image=painted, only="gram")
    assert found.subject.run is None
    assert found.subject.settings.style.layers == ("relu1_1", "relu2_1")
    assert found.subject.painting.preset == "draft"
    assert found.image == str(painted)
    assert found.recipe == images.read_recipe(painted)
    assert found.subject.size == (48, 64)
    assert "painting" not in found.seconds
    torch.testing.assert_close(found.pixels, images.load(painted).pixels, rtol=0, atol=0)


def test_or_with_others_if_they_are_given(painted: Path) -> None:
    found = story.explain(CONTENT, STYLE, tiny(), image=painted, only="gram")
    assert found.subject.settings.style.layers == tiny().style.layers


def test_a_picture_without_a_recipe(tmp_path: Path) -> None:
    images.save(picture(48, 64, 3), tmp_path / "plain.png")
    found = story.explain(CONTENT, STYLE, image=tmp_path / "plain.png", only="gram")
    assert found.recipe is None
    assert found.subject.settings.style == story.presets.preset("default").style


def test_a_picture_of_another_version(painted: Path) -> None:
    recipe = images.read_recipe(painted)
    recipe["settings"]["magic"] = 1
    images.save(picture(48, 64, 3), painted, recipe=recipe)
    with pytest.raises(SettingsError, match=r"unknown knob; got 'magic'.* Name a preset instead"):
        story.begin(CONTENT, STYLE, image=painted)


def test_a_picture_shrunk_to_size(painted: Path) -> None:
    assert story.begin(CONTENT, STYLE, image=painted, size=48).explanation.pixels.shape == (1, 3, 36, 48)


def test_a_picture_of_another_shape() -> None:
    with pytest.raises(ImageError, match="the result must have the shape of the photograph; got 64×64"):
        story.begin(CONTENT, STYLE, tiny(), image=picture(64, 64, 3))


# ---- names and reprs --------------------------------------------------------------------------------


def test_the_package_can_be_called() -> None:
    """In whatever order it is imported: each time all of it anew, in a process of its own."""
    orders = (
        "from gramarye import explain; import gramarye.explain.section",
        "import gramarye.explain.section; from gramarye import explain",
        "import gramarye; explain = gramarye.explain; import gramarye.explain.section",
    )
    forget = "import sys; [sys.modules.pop(each) for each in list(sys.modules) if each.startswith('gramarye')]"
    holds = "import gramarye; assert callable(explain) and gramarye.explain is explain; explain.section.Section"
    subprocess.run([sys.executable, "-c", "\n".join(f"{forget}; {order}; {holds}" for order in orders)], check=True)


def test_calling_the_package_explains(monkeypatch: pytest.MonkeyPatch) -> None:
    import gramarye

    found = gramarye.explain(CONTENT, STYLE, tiny(), only="gram")
    assert isinstance(found, story.Explanation)


def test_in_a_notebook() -> None:
    found = explained(only=["gram", "landscape"])
    text = found._repr_html_()
    assert "A &lt;section&gt; &amp; its title" in text
    assert "&lt;b&gt;leads&lt;/b&gt; &amp; content" in text
    assert "<b>leads" not in text
    assert text.count("data:image/png;base64,") == 4  # photograph, painting, result, and the section's own
    assert "landscape: a landscape needs" in text
    assert len(text) < 1_000_000
    assert story.Explanation()._repr_html_() == ""


def test_numbers_are_plain() -> None:
    numbers = explained(only="gram").numbers()["gram"]
    assert numbers["findings"] == [FINDING]
    assert numbers["curve"] == [1.0, 2.0]
    assert "picture" not in numbers


def test_pictures_are_found_wherever_they_are() -> None:
    shown = picture(8, 8, 1)
    value = {"a": [shown, torch.zeros(3)], "b": Fake(picture=shown, curve=torch.zeros(2))}
    assert [label for label, _ in pictures(value)] == ["a 1", "b picture"]
    assert plain({"a": (1, shown)}) == {"a": [1, None]}


def test_work_in_parts() -> None:
    def work() -> story.Work[str]:
        yield 0.0
        yield 1.0
        return "found"

    assert finish(work()) == "found"
    assert list(part_of(work(), 0.5, 0.75)) == [0.5, 0.75]
