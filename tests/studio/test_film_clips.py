"""The films that may be painted: what is kept of one that is given, and what is not let in."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import films as small
from bad_films import BAD
from gramarye.errors import GramaryeError, ImageError, MissingExtraError
from gramarye.studio import film_clips as module
from gramarye.studio import film_demo
from gramarye.studio.film_clips import DEMO, Clips
from gramarye.studio.refusals import Full, Refusal, TooLarge, TooManyPixels, Unknown, status_of
from gramarye.video.flow import flow
from gramarye.video.frames import film as opened

from .cinema import COUNT, film

NO_FILES = (  # which nobody can bring
    *("missing", "missing folder", "name too long", "zero byte in the name", "no permission", "pipe", "device"),
    *(name for name in BAD if "folder" in name),
)


@pytest.fixture
def clips(home: Path) -> Clips:
    return Clips(home)


def names_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


# ---- the demonstration ----------------------------------------------------------------------------


def test_the_demonstration_is_made_when_it_is_asked_for(clips: Clips) -> None:
    (demo,) = clips.all()
    assert demo.bundled
    assert names_in(clips.folder) == set()
    picture = Image.open(io.BytesIO(clips.poster(DEMO)))
    assert (picture.format, picture.size) == ("WEBP", (demo.width, demo.height))
    assert names_in(clips.folder) == set(), "a picture of it needs no film"
    found = opened(clips.path_of(DEMO))
    assert (found.frames, found.size, float(found.rate)) == (demo.frames, (demo.height, demo.width), demo.rate)
    assert names_in(clips.folder) == {"demo/film"}


def test_the_demonstration_glides() -> None:
    """Everywhere a little, and faster in the middle than where it sets out."""
    made = list(film_demo.frames())
    assert len(made) == film_demo.COUNT
    assert made[0].shape == (1, 3, *film_demo.SIZE)
    speeds = [float(flow(made[at], made[at - 1]).square().sum(1).sqrt().mean()) for at in (1, film_demo.COUNT // 2)]
    assert 0.01 < speeds[0] < 1 < speeds[1] < 8


# ---- what is given --------------------------------------------------------------------------------


def test_a_film_is_kept_as_it_came(clips: Clips, home: Path, tmp_path: Path) -> None:
    path = film(tmp_path / "film", sound="aac")
    data = path.read_bytes()
    clip = clips.add("Evening\u202e walk.mp4", path)
    assert (clip.title, clip.width, clip.height, clip.frames, clip.sound) == ("Evening walk", 96, 72, COUNT, True)
    assert clips.path_of(clip.id).read_bytes() == data
    assert Image.open(io.BytesIO(clips.poster(clip.id))).size == (96, 72)
    assert Clips(home).all() == clips.all()
    assert set(clip.plain()) == {
        *("id", "title", "width", "height", "frames", "seconds", "rate", "sound", "notes", "bundled")
    }


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animations_are_films(clips: Clips, tmp_path: Path, suffix: str) -> None:
    clip = clips.add("moving", small.animation(tmp_path / f"moving{suffix}"))
    assert (clip.frames, clip.width, clip.height, clip.sound) == (6, 64, 48, False)


def test_what_is_there_of_a_film_that_breaks_off(clips: Clips, tmp_path: Path) -> None:
    path = film(tmp_path / "film", 48, format="matroska", codec="ffv1", pixels="bgr0")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    clip = clips.add("cut off.mkv", path)
    assert 1 < clip.frames < 48
    assert "the file is cut off" in " ".join(clip.notes)


# ---- what is not let in ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in BAD if name not in NO_FILES])
def test_what_is_no_film_leaves_nothing(clips: Clips, tmp_path: Path, name: str) -> None:
    make, _ = BAD[name]
    with pytest.raises(ImageError) as refused:
        clips.add("given", make(tmp_path))
    assert status_of(refused.value) == 400
    assert names_in(clips.folder) == set()


def still(path: Path) -> None:
    Image.fromarray(small.numbered(1)).save(path, "WEBP")


def many(path: Path) -> None:
    film(path, 1501, size=(32, 32), rate=60, options={"preset": "ultrafast"})


def long(path: Path) -> None:
    film(path, 62, rate=1)


def many_of_an_animation(path: Path) -> None:
    """Small frames, and some more of them than are painted."""
    first, second = (Image.new("P", (40, 40), each) for each in (0, 1))
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=[second], duration=20)
    data = buffer.getvalue()
    begin = data.index(b"\x21\xf9")
    path.write_bytes(data[:begin] + data[begin:-1] * 1600 + b";")


def large(path: Path) -> None:
    plain = np.zeros((2200, 4200, 3), np.uint8)
    film(path, 2, size=(2200, 4200), draw=lambda *_: plain, options={"preset": "ultrafast"})


def large_animation(path: Path) -> None:
    pictures = [Image.new("P", (4200, 2200), each) for each in (0, 1)]
    pictures[0].save(path, "GIF", save_all=True, append_images=pictures[1:], duration=50)


def strip(path: Path) -> None:
    film(path, 2, size=(32, 640))


@pytest.mark.parametrize(
    ("make", "status", "said"),
    [
        (still, 400, "a film must move"),
        (many, 413, "at most 1500 frames"),
        (long, 413, "at most 1500 frames and 60 s"),
        (many_of_an_animation, 413, "at most 1500 frames"),
        (large, 413, "at most 9 megapixels"),
        (large_animation, 413, "at most 9 megapixels"),
        (strip, 400, "at least 32 pixels"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_refused_leaves_nothing(
    clips: Clips, tmp_path: Path, make: Callable[[Path], None], status: int, said: str
) -> None:
    path = tmp_path / "film"
    make(path)
    with pytest.raises(GramaryeError, match=said) as refused:
        clips.add("given", path)
    assert status_of(refused.value) == status
    assert names_in(clips.folder) == set()
    assert [each.id for each in clips.all()] == [DEMO]


def test_too_many_frames_are_refused_before_any_is_decoded(
    clips: Clips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gramarye.video.animations.film", lambda path: pytest.fail("it was decoded"))
    for make, error in ((many_of_an_animation, TooLarge), (large_animation, TooManyPixels)):
        make(tmp_path / "film")
        with pytest.raises(error):
            clips.add("given", tmp_path / "film")


def test_there_is_room_for_so_many(clips: Clips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = clips.add("first", film(tmp_path / "film"))
    for limit, value in (("MOST", 1), ("KEPT_BYTES", given.bytes + 100)):
        with monkeypatch.context() as patch:
            patch.setattr(module, limit, value)
            with pytest.raises(Full, match="Delete some"):
                clips.add("second", film(tmp_path / "film"))
    clips.remove(given.id)
    assert names_in(clips.folder) == set()
    with pytest.raises(Unknown):
        clips.poster(given.id)


@pytest.mark.parametrize("clip", ["0123456789abcdef", "../demo", "", None, 7, ["demo"], {"id": "demo"}, "demo/"])
def test_only_identifiers_from_here(clips: Clips, clip: object) -> None:
    for ask in (clips.get, clips.path_of, clips.poster, clips.remove):
        with pytest.raises(Unknown):
            ask(clip)


def test_the_demonstration_stays(clips: Clips) -> None:
    with pytest.raises(Refusal, match="the demonstration stays"):
        clips.remove(DEMO)


@pytest.mark.parametrize("text", ["", "[]", '{"id": "../../etc"}', '{"id": "0123456789abcdef", "notes": []}'])
def test_what_others_wrote_is_passed_over(clips: Clips, home: Path, text: str) -> None:
    (clips.folder / "0123456789abcdef").mkdir()
    (clips.folder / "0123456789abcdef" / "clip.json").write_text(text)
    assert [each.id for each in Clips(home).all()] == [DEMO]


def test_a_clip_is_only_found_where_it_lies(clips: Clips, home: Path, tmp_path: Path) -> None:
    given = clips.add("one", film(tmp_path / "film"))
    plain = json.loads((clips.folder / given.id / "clip.json").read_text())
    (clips.folder / given.id / "clip.json").write_text(json.dumps(plain | {"id": "../../0123456789abcdef"}))
    assert [each.id for each in Clips(home).all()] == [DEMO]


def test_what_a_killed_server_left_is_swept_up(clips: Clips, home: Path) -> None:
    for name in (".given-abc", "0123456789abcdef"):
        (clips.folder / name).mkdir()
        (clips.folder / name / "film").write_bytes(b"x")
    Clips(home)
    assert names_in(clips.folder) == set()


@pytest.mark.parametrize("module_name", ["av", "cv2"])
def test_without_the_extra_it_says_what_to_install(
    clips: Clips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module_name: str
) -> None:
    assert module.missing() is None
    find = module.find_spec
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == module_name else find(name))
    said = module.missing()
    assert said is not None
    assert f"no module {module_name}" in said
    assert 'pip install "gramarye[video]"' in said
    with pytest.raises(MissingExtraError):
        clips.add("a", tmp_path)
