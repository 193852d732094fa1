"""Each class of published holes of local web servers, tried on a real one."""

from __future__ import annotations

import hmac
import http.client
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from gramarye.studio import safety

from .serving import TOKEN, Reply, Server

SECRET = b"nobody may read this"
PLAIN = {"ours": False}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests here, which change nothing in it, with pages that are built."""
    place = tmp_path_factory.mktemp("served")
    (place / "secret.txt").write_bytes(SECRET)
    (place / "static" / "assets").mkdir(parents=True)
    (place / "static" / "index.html").write_text("<!doctype html><title>Gramarye</title>")
    (place / "static" / "assets" / "page-abc123.js").write_text("export const one = 1;")
    (place / "static" / "assets" / "link.txt").symlink_to(place / "secret.txt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRAMARYE_STUDIO_STATIC", str(place / "static"))
        patch.setenv("GRAMARYE_HOME", str(place / "weights-home"))
        patch.setattr("gramarye.machine.keep_memory", lambda: True)
        running = Server(place / "home")
        (place / "home" / "secret.txt").write_bytes(SECRET)
        yield running
        running.close()


def refused(reply: Reply, status: int) -> None:
    assert reply.status == status, reply
    assert set(reply.json) == {"error"}
    assert "\n" not in reply.json["error"]
    assert SECRET not in reply.body


# ---- paths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["/", "/assets/", "/api/", "/api/pictures/", "/api/runs/", "/api/studies/"])
@pytest.mark.parametrize(
    "way",
    [
        "../secret.txt",
        "../../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "%2e%2e%2fsecret.txt",
        "%252e%252e%252fsecret.txt",
        "..%5csecret.txt",
        "....//secret.txt",
        "..%c0%afsecret.txt",
        "secret.txt%00.js",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "./././../secret.txt",
        "link.txt",
    ],
)
def test_no_path_leads_out(server: Server, prefix: str, way: str) -> None:
    reply = server.get(prefix + way)
    assert reply.status in (400, 404), reply
    assert SECRET not in reply.body
    assert b"root:" not in reply.body


def test_the_files_of_the_pages_are_reached(server: Server) -> None:
    assert server.get("/assets/page-abc123.js", **PLAIN).body == b"export const one = 1;"


FORGED = [
    "0123456789abcdef",
    "demo-nothing",
    "../secret",
    "..%2Fsecret",
    "http:%2F%2F127.0.0.1%2Fx",
    "file:%2F%2F%2Fetc%2Fpasswd",
    "%00",
    "a" * 5000,
    "__proto__",
    "1%20OR%201=1",
]


@pytest.mark.parametrize("identifier", FORGED)
def test_forged_identifiers_of_pictures(server: Server, identifier: str) -> None:
    reply = server.get(f"/api/pictures/{identifier}/160.webp")
    assert reply.status == 404
    assert SECRET not in reply.body
    assert server.delete(f"/api/pictures/{identifier}").status in (404, 405)


@pytest.mark.parametrize("identifier", FORGED)
def test_forged_identifiers_of_runs(server: Server, identifier: str) -> None:
    assert server.get(f"/api/runs/{identifier}").status == 404
    assert server.get(f"/api/runs/{identifier}/frames/1.webp").status == 404
    assert server.post(f"/api/runs/{identifier}/control", {"action": "stop"}).status in (404, 405)
    assert server.delete(f"/api/runs/{identifier}").status in (404, 405)


@pytest.mark.parametrize("side", ["161", "0", "-1", "1e3", "99999999999999999999", "160.webp%2f..", "abc"])
def test_only_known_sides(server: Server, side: str) -> None:
    assert server.get(f"/api/pictures/demo-swirl/{side}.webp").status in (400, 404)


# ---- addresses and paths where an identifier belongs ------------------------------------------------


class Canary:
    """A server of which nobody may ask anything."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}/picture.png"
        self.asked = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            self.socket.accept()
        except OSError:
            return
        self.asked.set()


def test_no_address_or_path_of_the_clients_is_followed(server: Server) -> None:
    canary = Canary()
    own = str(server.studio.home / "secret.txt")
    for given in (canary.address, f"file://{own}", own, "/etc/passwd", "../secret.txt", f"{canary.address}#demo-swirl"):
        for content, style in ((given, "demo-swirl"), ("demo-photograph", given)):
            refused(server.post("/api/runs", {"content": content, "styles": [style], "preset": "draft"}), 404)
        quoted = given.replace("/", "%2F").replace("#", "%23")
        assert server.get(f"/api/distance?one={quoted}&other=demo-swirl").status == 404
        assert server.get(f"/api/pictures/{quoted}/160.webp").status == 404
        whole = {"content": "demo-photograph", "styles": ["demo-swirl"], "preset": "draft", "mask": given}
        assert server.post("/api/runs", whole).status == 400
    assert not canary.asked.wait(0.2)
    canary.socket.close()
    assert server.get("/api/state").json["runs"] == []


@pytest.mark.parametrize("wrong", [None, 7, ["demo-swirl"], {"path": "/etc/passwd"}, True, "", "\0"])
def test_identifiers_of_other_types(server: Server, wrong: object) -> None:
    body = {"content": wrong, "styles": ["demo-swirl"], "preset": "draft"}
    assert server.post("/api/runs", body).status in (400, 404)
    assert server.post("/api/runs", {**body, "content": "demo-photograph", "styles": [wrong]}).status in (400, 404)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"[" * 100_000, b"\xff\xfe"])
def test_bodies_that_are_no_object(server: Server, body: bytes) -> None:
    refused(server.post("/api/runs", body), 400)
    refused(server.post("/api/token", body), 400)


# ---- hosts and origins ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example:{port}",
        "localhost.evil.example",
        "evil.example:80@127.0.0.1:{port}",
        "127.0.0.1:{port}@evil.example",
        "0.0.0.0:{port}",
        "192.168.0.1:{port}",
        "",
        "127.0.0.1:{port}, evil.example",
        "[::1",
        "[::ffff:127.0.0.1]:{port}",
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/state", "/api/token", "/assets/page-abc123.js", "/?token=" + TOKEN])
def test_a_foreign_name_for_this_machine_is_refused(server: Server, host: str, path: str) -> None:
    reply = server.get(path, headers={"Host": host.format(port=server.port)})
    refused(reply, 403)
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}", "localhost:{port}", "LocalHost:{port}", "[::1]:{port}", "localhost"]
)
def test_loopback_has_these_names(server: Server, host: str) -> None:
    named = host.format(port=server.port)
    headers = {"Host": named, "Origin": f"http://{named.lower()}"}
    assert server.get("/api/state", headers=headers).status == 200


def test_two_hosts_or_none(server: Server) -> None:
    for hosts in (b"", b"Host: 127.0.0.1\r\nHost: evil.example\r\n"):
        version = b"1.0" if not hosts else b"1.1"
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(b"GET / HTTP/" + version + b"\r\n" + hosts + b"Connection: close\r\n\r\n")
            status = raw.makefile("rb").readline().split()[1]
        assert status in (b"400", b"403")


ORIGINS = [
    "null",
    "https://evil.example",
    "http://evil.example",
    "http://127.0.0.1:1",
    "http://127.0.0.1",
    "https://127.0.0.1:{port}",
    "http://localhost:{port}",  # the page was opened under 127.0.0.1
    "http://127.0.0.1:{port}.evil.example",
    "http://127.0.0.1:{port}@evil.example",
    "http://127.0.0.1:{port}/",
    "file://",
    "",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_foreign_origins_are_refused(server: Server, origin: str) -> None:
    headers = {"Origin": origin.format(port=server.port)}
    for method, path in (("POST", "/api/runs"), ("DELETE", "/api/pictures/demo-swirl"), ("POST", "/api/token")):
        refused(server.request(method, path, b"{}", headers), 403)
    refused(server.get("/api/state", headers=headers), 403)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_what_foreign_pages_ask_for_without_an_origin(server: Server, site: str) -> None:
    """As a picture, a script or a form of theirs would; another port of this machine is `same-site`."""
    headers = {"Cookie": f"gramarye_{server.port}={TOKEN}", "Sec-Fetch-Site": site}
    refused(server.get("/api/pictures/demo-swirl/160.webp", headers=headers, **PLAIN), 403)
    refused(server.request("DELETE", "/api/pictures/demo-swirl", None, headers, **PLAIN), 403)


def test_requests_without_an_origin(server: Server) -> None:
    """The cookie alone changes nothing; a program that knows the token may."""
    cookie = {"Cookie": f"gramarye_{server.port}={TOKEN}"}
    refused(server.post("/api/runs", headers=cookie, **PLAIN), 403)
    assert server.post("/api/runs", headers={"X-Gramarye-Token": TOKEN}, **PLAIN).status == 400
    assert server.post("/api/runs", headers={**cookie, "Sec-Fetch-Site": "same-origin"}, **PLAIN).status == 400


def test_nobody_is_allowed_across_origins(server: Server) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for path in ("/api/runs", "/api/state", "/"):
        reply = server.request("OPTIONS", path, None, headers, **PLAIN)
        assert reply.status in (403, 405)
        assert not [name for name in reply.headers if name.startswith("access-control")]


# ---- the token --------------------------------------------------------------------------------------


FORGED_TOKENS = ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "null", "é" * 22, "a" * 4000]


@pytest.mark.parametrize("token", FORGED_TOKENS)
def test_forged_tokens(server: Server, token: str) -> None:
    ways = ({"X-Gramarye-Token": token.encode()}, {"Cookie": f"gramarye_{server.port}={token}".encode()})
    for headers in ways:
        for path in ("/api/state", "/api/events", "/api/pictures/demo-swirl/160.webp", "/api/studies", "/api/nothing"):
            refused(server.get(path, headers=headers, **PLAIN), 401)
    own = {"Origin": server.address}
    refused(server.post("/api/token", {"token": token}, headers=own, **PLAIN), 401)
    reply = server.get("/?token=" + token.encode().hex(), **PLAIN)
    assert (reply.status, "set-cookie" in reply.headers) == (303, False)


def test_no_token(server: Server) -> None:
    for path in ("/api/state", f"/api/state?token={TOKEN}", "/api/", "/api/token/../state"):
        assert server.get(path, **PLAIN).status == 401
    assert server.get("/", **PLAIN).status == 200  # the page, which then asks for the token
    other_port = {"Cookie": f"gramarye_{server.port + 1}={TOKEN}"}
    assert server.get("/api/state", headers=other_port, **PLAIN).status == 401


def check_cookie(server: Server, reply: Reply) -> None:
    """The cookie opens the door, and is out of reach of scripts and foreign pages."""
    value, *attributes = reply.headers["set-cookie"].split("; ")
    assert set(attributes) == {"HttpOnly", "SameSite=Strict", "Path=/"}
    assert value.startswith(f"gramarye_{server.port}=")
    assert server.get("/api/state", headers={"Cookie": f"other=1; {value}"}, **PLAIN).status == 200


def test_the_address_with_the_token_lets_in_and_leaves_the_address_bar(server: Server) -> None:
    reply = server.get(f"/?token={TOKEN}", **PLAIN)
    assert (reply.status, reply.headers["location"], reply.body) == (303, "/", b"")
    check_cookie(server, reply)


def test_the_page_may_hand_in_the_token(server: Server) -> None:
    check_cookie(
        server, server.post("/api/token", {"token": f" {TOKEN}\n"}, headers={"Origin": server.address}, **PLAIN)
    )


def test_a_ticket_lets_in_once(server: Server) -> None:
    ticket = server.studio.ticket()
    assert ticket != TOKEN
    first, second = (server.get(f"/?token={ticket}", **PLAIN) for _ in range(2))
    check_cookie(server, first)
    assert "set-cookie" not in second.headers
    assert server.get("/api/state", headers={"X-Gramarye-Token": ticket}, **PLAIN).status == 401


def test_tokens_are_compared_in_constant_time(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    original = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return original(one, other)

    monkeypatch.setattr("gramarye.studio.safety.hmac.compare_digest", compare)
    server.get("/api/state", headers={"X-Gramarye-Token": "wrong"}, **PLAIN)
    server.get("/api/state", headers={"Cookie": f"gramarye_{server.port}=wrong"}, **PLAIN)
    server.get("/?token=wrong", **PLAIN)
    server.post("/api/token", {"token": "wrong"}, headers={"Origin": server.address}, **PLAIN)
    assert compared == 4 * [(b"wrong", TOKEN.encode())]


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {safety.new_token() for _ in range(50)}
    assert len(tokens) == 50
    assert all(re.fullmatch(r"[\w-]{43}", token) for token in tokens)


def test_the_token_is_in_no_answer_and_no_log(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    for path in (f"/?token={TOKEN}", f"/nothing?token={TOKEN}", f"/api/state?token={TOKEN}", "/", "/api/state"):
        reply = server.get(path)
        assert TOKEN.encode() not in reply.body
        assert TOKEN not in str({name: value for name, value in reply.headers.items() if name != "set-cookie"})
        assert reply.headers["referrer-policy"] == "no-referrer"
    assert TOKEN not in "".join(capfd.readouterr())


# ---- what every response says -----------------------------------------------------------------------


def every_kind_of_response(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, Reply]]:
    yield 200, server.get("/")
    yield 200, server.get("/assets/page-abc123.js")
    yield 200, server.request("HEAD", "/")
    yield 200, server.get("/api/state")
    yield 200, server.get("/api/pictures/demo-swirl/160.webp")
    yield 303, server.get("/?token=x")
    yield 400, server.post("/api/pictures?kind=painting", b"no picture")
    yield 401, server.get("/api/state", **PLAIN)
    yield 403, server.get("/", headers={"Host": "evil.example"})
    yield 404, server.get("/nothing")
    yield 404, server.get("/api/nothing")
    yield 405, server.request("PUT", "/api/state")
    yield 413, server.post("/api/pictures?kind=painting", headers={"Content-Length": "99999999"})
    monkeypatch.setattr(server.studio.gallery, "pictures", lambda: 1 / 0)
    yield 500, server.get("/api/state")


def test_no_response_lacks_the_headers_of_safety(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for status, reply in every_kind_of_response(server, monkeypatch):
        assert reply.status == status
        for name, value in safety.HEADERS.items():
            assert reply.headers[name.lower()] == value
        assert "cache-control" in reply.headers
        if status >= 400 and reply.body:
            assert set(reply.json) == {"error"}


def test_the_policy_allows_nothing_but_our_own() -> None:
    policy = dict(part.split(" ", 1) for part in safety.HEADERS["Content-Security-Policy"].split("; "))
    assert {"default-src", "script-src", "style-src", "connect-src", "frame-ancestors", "base-uri"} <= set(policy)
    assert {source for value in policy.values() for source in value.split()} == {"'self'", "'none'", "data:", "blob:"}
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"


def test_the_stream_has_the_headers_too(server: Server) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
        connection.request("GET", "/api/events", headers={"X-Gramarye-Token": TOKEN})
        with connection.getresponse() as answer:
            assert answer.headers["Content-Security-Policy"] == safety.HEADERS["Content-Security-Policy"]


def test_web_sockets_are_not_spoken(server: Server) -> None:
    wanted = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "eA==",
    }
    assert server.get("/api/events/socket", headers=wanted).status in (403, 404)


# ---- bodies that are too large or do not come -------------------------------------------------------


def chunked(server: Server, path: str, chunks: Iterator[bytes]) -> Reply:
    """A body without a length, in chunks, until the server answers."""
    headers = {"X-Gramarye-Token": TOKEN, "Origin": server.address, "Transfer-Encoding": "chunked"}
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
        connection.request("POST", path, chunks, headers, encode_chunked=True)
        return read_from(connection.getresponse())


def read_from(answer: http.client.HTTPResponse) -> Reply:
    with answer:
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def test_any_body_is_counted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "MAX_BODY", 100_000)
    refused(server.post("/api/runs", b"[" + b"1," * 60_000 + b"1]"), 413)
    refused(chunked(server, "/api/runs", (b"1" * 10_000 for _ in range(20))), 413)


def test_a_body_that_does_not_come(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "PAUSE", 0.2)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
        raw.sendall(_head(server, "/api/runs", 1000) + b'{"content":')
        refused(_read(raw), 408)


def test_a_body_that_comes_drop_by_drop(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each drop is in time, and the whole is not."""
    monkeypatch.setattr(safety, "LONGEST", 0.4)
    stop = threading.Event()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
        raw.sendall(_head(server, "/api/pictures?kind=painting", 1_000_000))

        def drip() -> None:
            while not stop.wait(0.05):
                try:
                    raw.sendall(b"x")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        refused(_read(raw), 408)
        stop.set()
        thread.join()
    assert not list(server.studio.gallery.cache.glob(".given-*"))


def _head(server: Server, path: str, length: int) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", f"Origin: {server.address}"]
    lines += [f"X-Gramarye-Token: {TOKEN}", f"Content-Length: {length}", "", ""]
    return "\r\n".join(lines).encode()


def _read(raw: socket.socket) -> Reply:
    answer = http.client.HTTPResponse(raw)
    answer.begin()
    return read_from(answer)


def test_a_stream_is_not_cut_by_the_limits_of_bodies(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "PAUSE", 0.1)
    monkeypatch.setattr(safety, "LONGEST", 0.1)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
        raw.sendall(_head(server, "/api/events", 0).replace(b"POST", b"GET"))
        with http.client.HTTPResponse(raw) as answer:
            answer.begin()
            threading.Event().wait(0.4)
            server.studio.events.publish("study", {"id": "still there"})
            while (line := answer.readline()) != b'data: {"id":"still there"}\n':
                assert line
