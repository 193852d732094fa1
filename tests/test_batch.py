"""Which pictures a batch makes, and which of them are done."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gramarye import batch, images, weights
from gramarye.errors import ImageError
from gramarye.presets import preset
from networks import picture


def test_folders_files_and_both(tmp_path: Path) -> None:
    names = ("b.png", "a.JPG", "note.txt", ".hidden.png", "c.gif")
    for name in names:
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "below.png").mkdir()
    inside = [str(tmp_path / name) for name in ("a.JPG", "b.png", "c.gif")]
    assert batch.pictures_in([str(tmp_path)]) == inside
    assert batch.pictures_in(["not-there", str(tmp_path / "c.gif"), str(tmp_path)]) == [
        "not-there",
        inside[2],
        *inside[:2],
    ]
    with pytest.raises(ImageError, match="none in"):
        batch.pictures_in([str(tmp_path / "below.png")])


def test_a_link_to_a_picture_is_that_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "b.png").symlink_to("a.png")
    assert batch.pictures_in([str(tmp_path)]) == [str(tmp_path / "a.png")]


def test_names_tell_what_is_painted_after_what() -> None:
    jobs = batch.plan(["x/cat.jpg", "dog.png"], ["wave.jpg", "y/scream.png"], Path("out"))
    assert [job.output for job in jobs] == [
        Path("out") / name for name in ("cat__wave.png", "cat__scream.png", "dog__wave.png", "dog__scream.png")
    ]
    assert (jobs[1].content, jobs[1].style) == ("x/cat.jpg", "y/scream.png")


def test_equal_names_are_numbered() -> None:
    jobs = batch.plan(["cat.jpg", "x/Cat.png", "cat-2.gif"], ["a.png"], Path())
    assert [job.output.name for job in jobs] == ["cat__a.png", "Cat-2__a.png", "cat-2-2__a.png"]


files = st.lists(st.text("ab_-2A", min_size=1, max_size=5), min_size=1, max_size=6, unique=True)


@given(files, files)
def test_no_two_pictures_have_one_name(contents: list[str], styles: list[str]) -> None:
    jobs = batch.plan([f"c/{name}.png" for name in contents], [f"s/{name}.png" for name in styles], Path("out"))
    assert len({str(job.output).casefold() for job in jobs}) == len(jobs) == len(contents) * len(styles)


def test_what_is_done_is_known_by_its_recipe(tmp_path: Path) -> None:
    for name, seed in (("c.png", 1), ("s.png", 2)):
        images.save(picture(40, 50, seed), tmp_path / name)
    settings = preset("default").with_(steps=3)
    network = weights.read(weights.embedded()).sha256
    recipe = {
        "settings": settings.to_dict(),
        "content": {"name": "c", "path": "elsewhere", "sha256": images.sha256_of(tmp_path / "c.png")},
        "styles": [{"name": "s", "path": None, "sha256": images.sha256_of(tmp_path / "s.png")}],
        "network": {"name": "vgg19-lite", "sha256": network},
        "evaluations": 3,
    }
    job = batch.Job(str(tmp_path / "c.png"), str(tmp_path / "s.png"), tmp_path / "o.png")
    assert not batch.is_done(job, settings, network, {})
    images.save(picture(40, 50, 3), job.output, recipe=recipe)
    assert batch.is_done(job, settings, network, {})
    assert not batch.is_done(job, settings.with_(seed=1), network, {})
    assert not batch.is_done(job, settings, "other", {})
    assert not batch.is_done(batch.Job(job.style, job.style, job.output), settings, network, {})
    for change in ({"evaluations": 2}, {"start": {"sha256": "a"}}, {"start_networks": [1]}, {"settings": 1}):
        images.save(picture(40, 50, 3), job.output, recipe=recipe | change)
        assert not batch.is_done(job, settings, network, {})
    images.save(picture(40, 50, 3), job.output, recipe=recipe | {"start_networks": {"fast-many": "a"}})
    assert batch.is_done(job, settings, network, {"fast-any": "b", "fast-many": "a"})
    assert not batch.is_done(job, settings, network, {"fast-many": "b"})
    images.save(picture(40, 50, 3), job.output)
    assert not batch.is_done(job, settings, network, {})
    job.output.write_bytes(b"something else")
    assert not batch.is_done(job, settings, network, {})
