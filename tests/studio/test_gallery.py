"""The gallery: what is kept of a picture that is given, and what is not let in."""

from __future__ import annotations

import errno
import http.client
import io
import json
import os
import threading
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from bad_pictures import BAD_PICTURES, noise, png, png_chunk
from gramarye import images
from gramarye.errors import GramaryeError, ImageError
from gramarye.studio import gallery as module
from gramarye.studio.gallery import SIDES, Gallery, title_from
from gramarye.studio.refusals import Full, Refusal, TooLarge, UnknownPicture

from .serving import TOKEN, Server
from .test_safety import chunked

SCRIPT = b"<script>alert(1)</script>"
PICTURES = "/api/pictures?kind=painting"


@pytest.fixture
def gallery(home: Path) -> Gallery:
    return Gallery(home)


def encoded(kind: str = "PNG", height: int = 48, width: int = 64, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(noise(height, width)).save(buffer, kind, **options)
    return buffer.getvalue()


def given(folder: Path, data: bytes) -> Path:
    path = folder / "given"
    path.write_bytes(data)
    return path


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


# ---- the bundled ----------------------------------------------------------------------------------


def test_bundled_pictures_are_as_the_gallery_says(gallery: Gallery) -> None:
    pictures = gallery.pictures()
    assert [each["kind"] for each in pictures] == ["photograph"] + 6 * ["painting"]
    assert all(each["bundled"] and each["title"] and each["credit"] for each in pictures)
    for each in pictures:
        height, width = images.load(gallery.path_of(each["id"])).pixels.shape[2:]
        assert (each["width"], each["height"]) == (width, height)
    assert files_in(gallery.folder) == set()


def test_bundled_titles_are_those_of_their_list() -> None:
    text = (Path(images.__file__).parent / "demo" / "STYLES.md").read_text()
    for name, (title, *_) in module.WHAT_IS_BUNDLED.items():
        assert name == "photograph" or f"`{name}.jpg`: *{title}*" in text


@pytest.mark.parametrize("side", SIDES)
def test_thumbnails(gallery: Gallery, side: int) -> None:
    with Image.open(io.BytesIO(gallery.thumbnail("demo-cubist", side))) as image:
        assert image.format == "WEBP"
        assert max(image.size) == min(side, 736)  # never larger than the picture
        assert image.width / image.height == pytest.approx(592 / 736, abs=0.01)
    before = {path: path.stat().st_mtime_ns for path in gallery.cache.iterdir()}
    gallery.thumbnail("demo-cubist", side)
    assert before == {path: path.stat().st_mtime_ns for path in gallery.cache.iterdir()}


def test_bundled_pictures_stay(gallery: Gallery) -> None:
    with pytest.raises(Refusal, match="bundled pictures stay"):
        gallery.remove("demo-swirl")
    assert gallery.path_of("demo-swirl").is_file()


# ---- what is given --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
def test_each_format_is_taken_in_and_kept_anew(gallery: Gallery, tmp_path: Path, kind: str) -> None:
    picture = gallery.add("painting", f"A field.{kind.lower()}", given(tmp_path, encoded(kind)))
    assert set(picture) == {"id", "kind", "title", "credit", "width", "height", "bundled"}
    assert (picture["kind"], picture["title"], picture["width"], picture["height"]) == ("painting", "A field", 64, 48)
    path = gallery.path_of(picture["id"])
    with Image.open(path) as image:
        assert (image.format, image.size) == ("JPEG", (64, 48))
    difference = images.load(path).pixels - images.load(given(tmp_path, encoded(kind))).pixels
    assert float(difference.abs().mean()) < 0.03  # noise, which is the hardest for JPEG


def test_transparent_parts_stay_transparent(gallery: Gallery, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    alpha = np.zeros((40, 50, 1), np.uint8)
    alpha[10:] = 255
    Image.fromarray(np.concatenate([noise(40, 50), alpha], 2)).save(buffer, "PNG")
    picture = gallery.add("photograph", "cut out", given(tmp_path, buffer.getvalue()))
    kept = images.load(gallery.path_of(picture["id"]))
    assert kept.alpha is not None
    assert float(kept.alpha.mean()) == pytest.approx(0.75)


def test_large_pictures_are_shrunk(gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_SIDE", 50)
    picture = gallery.add("photograph", "large", given(tmp_path, encoded(height=80, width=100)))
    assert (picture["width"], picture["height"]) == (50, 40)
    assert images.load(gallery.path_of(picture["id"])).pixels.shape[2:] == (40, 50)


def test_turned_pictures_stand_upright(gallery: Gallery, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = gallery.add("photograph", "turned", given(tmp_path, encoded("JPEG", exif=exif)))
    assert (picture["width"], picture["height"]) == (48, 64)


def test_what_was_given_is_there_again_next_time(gallery: Gallery, home: Path, tmp_path: Path) -> None:
    first = gallery.add("painting", "first", given(tmp_path, encoded()))
    second = gallery.add("photograph", "second", given(tmp_path, encoded()))
    again = Gallery(home)
    assert again.pictures() == gallery.pictures()
    assert again.pictures()[-2:] == [first, second]
    again.remove(first["id"])
    assert first["id"] not in str(Gallery(home).pictures())


def test_removing_leaves_nothing(gallery: Gallery, home: Path, tmp_path: Path) -> None:
    before = files_in(home)
    identifier = gallery.add("painting", "short-lived", given(tmp_path, encoded()))["id"]
    gallery.thumbnail(identifier, 160)
    gallery.remove(identifier)
    assert files_in(home) == before
    for ask in (gallery.path_of, gallery.remove, lambda each: gallery.thumbnail(each, 160), gallery.title_of):
        with pytest.raises(UnknownPicture):
            ask(identifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"id": "../../etc/passwd", "kind": "painting", "title": "x", "credit": "", "width": 1, "height": 1, '
        '"bundled": false}',
        '{"id": "0123456789abcdef"}',
    ],
)
def test_files_that_others_wrote_are_passed_over(gallery: Gallery, home: Path, text: str) -> None:
    (gallery.folder / "0123456789abcdef.json").write_text(text)
    (gallery.folder / "0123456789abcdef.jpg").write_bytes(b"x")
    assert all(each["bundled"] for each in Gallery(home).pictures())


def test_what_a_killed_server_left_is_swept_up(gallery: Gallery, home: Path) -> None:
    (gallery.cache / ".given-abc").mkdir()
    (gallery.cache / ".given-abc" / "picture").write_bytes(b"x")
    Gallery(home)
    assert not list(gallery.cache.glob(".given-*"))


# ---- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Starry night.jpg", "Starry night"),
        ("C:\\pictures\\evening.PNG", "evening"),
        ("../../etc/passwd", "passwd"),
        ("no suffix", "no suffix"),
        ("v1.2 final.tiff", "v1.2 final"),
        ("line\r\nbreak\tand\0zero.png", "linebreakandzero"),
        ("right\u202egnp.exe", "rightgnp"),
        ("\u200b \ufeff.png", "untitled"),
        ("", "untitled"),
        ("<script>alert(1)</script>.png", "script>"),
        ("<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>"),
        ("Straße 東京.webp", "Straße 東京"),
        ("x" * 300, "x" * 80),
    ],
)
def test_titles(name: str, title: str) -> None:
    assert title_from(name) == title


def test_a_script_in_a_file_name_stays_a_word_in_json(server: Server) -> None:
    """As JSON that browsers take for nothing else; in no header and in no name on the disk."""
    name = "<img src=x onerror=alert(1)>\r\nSet-Cookie: a=b.png"
    reply = server.post(PICTURES, encoded(), headers={"X-File-Name": quote(name)})
    assert reply.status == 201
    assert reply.json["title"] == "<img src=x onerror=alert(1)>Set-Cookie: a=b"
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in reply.headers
    assert "script" not in " ".join(files_in(server.studio.home))
    assert "img" not in " ".join(files_in(server.studio.home))


# ---- what a file may hide -------------------------------------------------------------------------


def hiding() -> dict[str, bytes]:
    """Good pictures with a script in all the places that have room for one."""
    rows = zlib.compress(bytes(48 * (1 + 3 * 64)))
    texts = [
        png_chunk(b"tEXt", b"Comment\0" + SCRIPT),
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + SCRIPT),
        png_chunk(b"zTXt", b"Title\0\0" + zlib.compress(SCRIPT)),
        png_chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\0" + SCRIPT),
    ]
    return {
        "png-text": png(64, 48, rows, *texts),
        "png-behind-the-end": encoded() + SCRIPT,
        "jpeg-comment": encoded("JPEG", comment=SCRIPT),
        "jpeg-behind-the-end": encoded("JPEG") + b"*/" + SCRIPT,
        "gif-comment": encoded("GIF", comment=SCRIPT),
        "webp-xmp": encoded("WEBP", xmp=SCRIPT),
        "tiff-description": encoded("TIFF", description=SCRIPT.decode()),
    }


@pytest.mark.parametrize("name", hiding())
def test_nothing_hidden_in_a_file_survives(server: Server, name: str) -> None:
    data = hiding()[name]
    assert SCRIPT in data or name == "png-text"
    reply = server.post(PICTURES, data)
    assert reply.status == 201, reply
    thumbnails = b"".join(server.get(f"/api/pictures/{reply.json['id']}/{side}.webp").body for side in SIDES)
    assert SCRIPT not in thumbnails + reply.body + everything_in(server.studio.home)
    with Image.open(server.studio.gallery.path_of(reply.json["id"])) as image:
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "icc_profile"}
        assert not image.getexif()


def test_pictures_are_served_as_pictures_and_nothing_else(server: Server) -> None:
    server.wait_until_ready()
    identifier = server.post(PICTURES, encoded()).json["id"]
    for picture in (identifier, "demo-swirl"):
        reply = server.get(f"/api/pictures/{picture}/512.webp")
        assert reply.headers["content-type"] == "image/webp"
        assert reply.body[:4] + reply.body[8:12] == b"RIFFWEBP"
        assert "immutable" in reply.headers["cache-control"]
        assert reply.headers["content-security-policy"].startswith("default-src 'self'")


# ---- what is not let in ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, _ in BAD_PICTURES])
def test_what_is_no_picture_is_refused_and_not_kept(gallery: Gallery, tmp_path: Path, home: Path, name: str) -> None:
    path = dict(BAD_PICTURES)[name](tmp_path)
    before = files_in(home)
    if name == "no-permission" and os.access(path, os.R_OK):
        pytest.skip("root may read everything")
    with pytest.raises(ImageError) as caught:
        gallery.add("painting", name, path)
    assert "\n" not in str(caught.value)
    assert files_in(home) == before
    assert len(gallery.pictures()) == 7


def flat(width: int, height: int) -> bytes:
    """A picture of one colour, of few bytes for its size."""
    compressor = zlib.compressobj(9)
    row = bytes(1 + width)
    data = b"".join(compressor.compress(row) for _ in range(height)) + compressor.flush()
    return png(width, height, data, colour=0)


def test_a_bomb_is_refused_by_its_header(server: Server) -> None:
    """41 megapixels in 40 kB, whole and undamaged: nothing of it is decoded."""
    bomb = flat(8_200, 5_000)
    assert len(bomb) < 60_000
    reply = server.post(PICTURES, bomb)
    assert reply.status == 413
    assert "at most 40 megapixels; got picture: 8200 × 5000 pixels" in reply.json["error"]
    assert "--max-megapixels" not in reply.json["error"]
    assert server.get("/api/state").status == 200


@pytest.mark.parametrize("size", [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (40_001, 1_000)])
def test_headers_that_promise_too_much(gallery: Gallery, tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(GramaryeError):
        gallery.add("painting", "bomb", given(tmp_path, png(*size, zlib.compress(bytes(1000)))))


def test_what_says_it_is_too_large_is_refused_unread(server: Server) -> None:
    reply = server.post(PICTURES, b"", headers={"Content-Length": str(module.MAX_BYTES + 1)})
    assert reply.status == 413
    assert "at most 20 MB; got 20.0 MB" in reply.json["error"]


def test_what_does_not_say_its_length_is_counted(server: Server) -> None:
    """The count is of what really comes, and no more than the limit is ever on the disk."""
    reply = chunked(server, PICTURES, (bytes(1_000_000) for _ in range(25)))
    assert reply.status == 413
    assert "at most 20 MB; got 20." in reply.json["error"]
    assert not list(server.studio.gallery.cache.glob(".given-*"))


def test_the_largest_number_of_bytes_is_let_in(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded()
    monkeypatch.setattr("gramarye.studio.gallery_routes.MAX_BYTES", len(data))
    assert server.post(PICTURES, data).status == 201
    assert server.post(PICTURES, data + b"x").status == 413


def test_one_who_goes_away_leaves_nothing(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest("POST", PICTURES)
    for name, value in (("X-Gramarye-Token", TOKEN), ("Origin", server.address), ("Content-Length", "5000")):
        connection.putheader(name, value)
    connection.endheaders(b"x" * 100)
    cache = server.studio.gallery.cache
    for _ in range(200):
        if list(cache.glob(".given-*/picture")):
            break
        threading.Event().wait(0.02)
    else:
        pytest.fail("the upload did not begin")
    connection.close()
    for _ in range(200):
        if not list(cache.glob(".given-*")):
            break
        threading.Event().wait(0.02)
    else:
        pytest.fail("the half of a picture stayed")


def test_there_is_a_largest_number_of_pictures(
    gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    kept = [gallery.add("painting", "x", given(tmp_path, encoded()))["id"] for _ in range(2)]
    with pytest.raises(Full, match="Delete some"):
        gallery.add("painting", "x", given(tmp_path, encoded()))
    gallery.remove(kept[0])
    gallery.add("painting", "x", given(tmp_path, encoded()))


def test_there_is_a_largest_number_of_bytes_on_the_disk(
    gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = gallery.add("painting", "x", given(tmp_path, encoded()))["id"]
    monkeypatch.setattr(module, "KEPT_BYTES", gallery.path_of(kept).stat().st_size - 1)
    with pytest.raises(Full, match="Delete some"):
        gallery.add("painting", "x", given(tmp_path, encoded()))


def test_a_disk_that_is_full(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryDirectory", fail)
    reply = server.post(PICTURES, encoded())
    assert (reply.status, "free some space" in reply.json["error"].lower()) == (409, True)


@pytest.mark.parametrize("kind", ["", "sculpture", "painting/../..", "PHOTOGRAPH"])
def test_only_photographs_and_paintings(server: Server, kind: str) -> None:
    reply = server.post(f"/api/pictures?kind={quote(kind, safe='')}", encoded())
    assert reply.status == 400
    assert "a photograph or a painting" in reply.json["error"]


def test_no_bytes(server: Server) -> None:
    assert server.post(PICTURES, b"").status == 400


def test_many_at_once(server: Server) -> None:
    """Eight uploads side by side: all are there, each with a name of its own."""
    replies: list[Any] = []

    def upload(number: int) -> None:
        replies.append(server.post(PICTURES, encoded(), headers={"X-File-Name": f"{number}.png"}))

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.status for reply in replies] == 8 * [201]
    assert len({reply.json["id"] for reply in replies}) == 8
    mine = [each for each in server.get("/api/state").json["pictures"] if not each["bundled"]]
    assert sorted(each["title"] for each in mine) == list("01234567")


def test_pages_hear_of_a_new_picture(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, Any]] = []
    monkeypatch.setattr(server.studio.events, "publish", lambda kind, data: told.append((kind, data)))
    picture = server.post(PICTURES, encoded()).json
    assert ("picture", picture) in told
    assert json.loads(json.dumps(picture)) == picture


def test_deleting_over_http(server: Server) -> None:
    identifier = server.post(PICTURES, encoded()).json["id"]
    assert server.delete(f"/api/pictures/{identifier}").status == 200
    assert server.delete(f"/api/pictures/{identifier}").status == 404
    assert server.delete("/api/pictures/demo-swirl").status == 400


def test_too_large_is_an_answer_of_its_own() -> None:
    assert (TooLarge.status, Full.status, UnknownPicture.status, Refusal.status) == (413, 409, 404, 400)
