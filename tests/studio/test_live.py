"""Films painted as they come: what is made of a frame, what is kept, and that nothing else stands still meanwhile."""

from __future__ import annotations

import io
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
import torch
from PIL import Image

from gramarye import images, inline
from gramarye.errors import ImageError
from gramarye.fast import stored
from gramarye.studio import live as module
from gramarye.studio.gallery import Gallery
from gramarye.studio.live import FILMS, LONGEST, PAINTERS, WAITING, Live, Wish, decoded
from gramarye.studio.refusals import Busy, Refusal, TooManyPixels, UnknownPicture
from networks import picture

PAINTING, OTHER = "demo-cubist", "demo-mosaic"
HEIGHT, WIDTH = 48, 64
PATIENCE = 60.0  # seconds


@pytest.fixture
def live(home: Path) -> Iterator[Live]:
    home.mkdir()
    running = Live(Gallery(home))
    yield running
    running.close()


def jpeg(seed: int = 0, height: int = HEIGHT, width: int = WIDTH) -> bytes:
    return inline.encoded(picture(height, width, seed))


def painted(live: Live, frame: bytes, painting: str = PAINTING, **wish: object) -> torch.Tensor:
    """The picture that comes of a frame, 1 3 H W."""
    data = live.ask(frame, Wish(painting, **wish)).result(PATIENCE).data  # type: ignore[arg-type]
    with Image.open(io.BytesIO(data)) as image:
        return images.load(image).pixels


def difference(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).abs().mean())


def given(live: Live, folder: Path, kind: str = "painting") -> str:
    """A picture of one's own in the gallery."""
    images.save(picture(80, 96, 5), folder / "own.jpg")
    return str(live.gallery.add(kind, "own", folder / "own.jpg")["id"])


# ---- what is painted -----------------------------------------------------------------------------


def test_a_frame_is_painted_in_its_own_size(live: Live) -> None:
    shown = live.ask(jpeg(), Wish(PAINTING)).result(PATIENCE)
    with Image.open(io.BytesIO(shown.data)) as image:
        assert (image.format, image.size) == ("JPEG", (WIDTH, HEIGHT))
        assert not image.getexif()
    assert shown.painting > 0
    assert shown.waited >= 0


def test_it_is_what_the_feed_forward_painter_makes(live: Live) -> None:
    from gramarye.fast.paint import painter_for

    frame = jpeg()
    expected = painter_for("demo:cubist")(decoded(frame).pixels)
    assert difference(painted(live, frame), expected) < 0.02  # as a JPEG


def test_the_painting_and_the_strength_act(live: Live) -> None:
    frame = jpeg()
    photograph, cubist = decoded(frame).pixels, painted(live, frame)
    assert difference(cubist, painted(live, frame, OTHER)) > 0.02
    away = [difference(photograph, painted(live, frame, strength=strength)) for strength in (0.0, 0.4, 1.0)]
    assert away[0] < 0.02  # twice through JPEG
    assert away[0] < away[1] < away[2]


def test_any_painting_of_the_gallery_paints(live: Live, tmp_path: Path) -> None:
    frame, own = jpeg(), given(live, tmp_path)
    assert difference(painted(live, frame, own), decoded(frame).pixels) > 0.02
    assert live._painters[own].network.kind == "any"
    painted(live, frame)
    assert live._painters[PAINTING].network.kind == "many"


def test_a_still_has_its_recipe_inside(live: Live, tmp_path: Path) -> None:
    frame = jpeg()
    shown = live.ask(frame, Wish(PAINTING, 0.5, still=True)).result(PATIENCE)
    file = tmp_path / "still.png"
    file.write_bytes(shown.data)
    recipe = images.read_recipe(file)
    assert recipe["fast"] == {"kind": "many", "styles": ["cubist"]}
    assert recipe["settings"]["strength"] == 0.5
    assert recipe["content"] == {"name": module.NAME, "path": None, "sha256": None}
    assert difference(images.load(file).pixels, painted(live, frame, strength=0.5)) < 0.02


# ---- steadiness ----------------------------------------------------------------------------------


def noisy(seed: int) -> bytes:
    """The same scene with a camera's noise, as it is left in a small frame."""
    generator = torch.Generator().manual_seed(seed)
    scene = picture(HEIGHT, WIDTH, 3)
    return inline.encoded((scene + 0.01 * torch.randn(scene.shape, generator=generator)).clamp(0, 1), quality=95)


def test_what_stays_the_same_flickers_less(live: Live) -> None:
    def flicker(film: str | None) -> float:
        frames = [painted(live, noisy(seed), film=film) for seed in range(6)]
        return sum(difference(*pair) for pair in itertools.pairwise(frames[2:]))

    assert flicker("a1") < 0.6 * flicker(None)


def test_what_changes_leaves_nothing_behind(live: Live) -> None:
    dark, bright = (inline.encoded(torch.full((1, 3, HEIGHT, WIDTH), grey)) for grey in (0.1, 0.9))
    alone = painted(live, bright)
    painted(live, dark, film="a1")
    assert difference(painted(live, bright, film="a1"), alone) < 0.005


def test_another_painting_strength_or_size_begins_anew(live: Live) -> None:
    frame = jpeg()
    painted(live, frame, film="a1")
    assert torch.equal(painted(live, frame, OTHER, film="a1"), painted(live, frame, OTHER))
    assert torch.equal(painted(live, frame, strength=0.5, film="a1"), painted(live, frame, strength=0.5))
    turned = jpeg(0, WIDTH, HEIGHT)
    assert torch.equal(painted(live, turned, strength=0.5, film="a1"), painted(live, turned, strength=0.5))


# ---- what is kept --------------------------------------------------------------------------------


def test_little_is_kept_and_what_was_used_least_goes(live: Live, tmp_path: Path) -> None:
    frame = jpeg(0, 32, 32)
    paintings = [each["id"] for each in live.gallery.pictures() if each["kind"] == "painting"]
    assert len(paintings) > PAINTERS
    for painting in [*paintings, paintings[1]]:
        painted(live, frame, painting)
    assert list(live._painters) == [*paintings[-PAINTERS + 1 :], paintings[1]]
    for film in range(FILMS + 3):
        painted(live, frame, film=f"{film}")
    painted(live, frame, film="4")
    assert list(live._films) == ["3", "5", "6", "4"]


def test_a_painter_is_made_once(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = list[object]()
    original = stored.load
    monkeypatch.setattr(stored, "load", lambda *given: loaded.append(given) or original(*given))
    for seed in range(4):
        painted(live, jpeg(seed), strength=seed / 4)
    assert len(loaded) == 1


def test_a_painting_that_was_deleted_paints_no_more(live: Live, tmp_path: Path) -> None:
    own = given(live, tmp_path)
    painted(live, jpeg(), own)
    live.gallery.remove(own)
    with pytest.raises(UnknownPicture):
        painted(live, jpeg(), own)


# ---- what is refused -----------------------------------------------------------------------------


def test_only_paintings_paint(live: Live, tmp_path: Path) -> None:
    for photograph in ("demo-photograph", given(live, tmp_path, "photograph")):
        with pytest.raises(UnknownPicture, match="in the manner of a painting"):
            painted(live, jpeg(), photograph)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_only_jpegs_are_frames(kind: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, kind)
    with pytest.raises(Refusal, match="must be a JPEG"):
        decoded(buffer.getvalue())


@pytest.mark.parametrize("frame", [b"", b"Dear Grace", b"\xff\xd8", jpeg()[1:]])
def test_what_is_no_picture(frame: bytes) -> None:
    with pytest.raises(Refusal, match="must be a JPEG"):
        decoded(frame)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_truncated_frames(share: float) -> None:
    frame = jpeg()
    with pytest.raises(ImageError, match="whole and undamaged"):
        decoded(frame[: max(4, int(share * len(frame)))])


def test_a_frame_is_judged_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded(jpeg(0, 64, LONGEST))
    with pytest.raises(TooManyPixels, match=f"{LONGEST + 1} × 64"):
        decoded(jpeg(0, 64, LONGEST + 1))
    bomb = bytearray(jpeg())
    at = bomb.index(b"\xff\xc0") + 5
    bomb[at : at + 4] = b"\xff\xdc" * 2  # 65500 × 65500
    monkeypatch.setattr(images, "load", lambda *_: pytest.fail("decoded"))
    with pytest.raises(TooManyPixels, match="65500 × 65500"):
        decoded(bytes(bomb))


def test_frames_that_are_too_small_or_too_long() -> None:
    for height, width in ((16, 16), (32, 31)):
        with pytest.raises(ImageError, match="at least 32"):
            decoded(jpeg(0, height, width))


def test_a_wrong_frame_is_followed_by_right_ones(live: Live) -> None:
    with pytest.raises(Refusal):
        live.ask(b"no picture", Wish(PAINTING)).result(PATIENCE)
    painted(live, jpeg())


# ---- one at a time -------------------------------------------------------------------------------


@pytest.fixture
def held(live: Live, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Nothing is decoded until it is set."""
    release = threading.Event()
    original = module.decoded

    def waits(frame: bytes) -> images.Picture:
        assert release.wait(PATIENCE)
        return original(frame)

    monkeypatch.setattr(module, "decoded", waits)
    yield release
    release.set()


def test_few_frames_wait_and_more_are_refused(live: Live, held: threading.Event) -> None:
    frame = jpeg()
    asked = [live.ask(frame, Wish(PAINTING)) for _ in range(WAITING)]
    with pytest.raises(Busy, match="one at a time"):
        live.ask(frame, Wish(PAINTING))
    assert not any(each.done() for each in asked)
    held.set()
    waited = [each.result(PATIENCE).waited for each in asked]
    assert waited == sorted(waited)
    painted(live, frame)  # and there is room again


def test_who_goes_away_makes_room(live: Live, held: threading.Event) -> None:
    asked = [live.ask(jpeg(), Wish(PAINTING)) for _ in range(WAITING)]
    assert asked[-1].cancel()
    assert live.ask(jpeg(), Wish(PAINTING)).cancel()


def test_at_the_end_nothing_waits(live: Live, held: threading.Event) -> None:
    first, second = (live.ask(jpeg(), Wish(PAINTING)) for _ in range(2))
    threading.Timer(0.05, held.set).start()
    live.close()
    assert first.done()
    with pytest.raises(CancelledError):
        second.result(0)
    live.close()
